import ArgumentParser
import Wire

/// How a base station treats its devices, for every command that has one.
struct StationOptions: ParsableArguments {
    @Option(help: "How activations travel: fp32 (exact), fp16 or int8.")
    var activations: ActivationCodec = .fp32

    @Option(help: "Seconds after which a silent device's work is done by somebody else.")
    var deadline: Double = 2

    @Flag(help: "Allow listening on an address that other machines reach, unencrypted.")
    var insecure = false

    @Flag(name: .shortAndLong, help: "Tell on standard error what devices do.")
    var verbose = false

    func validate() throws {
        if !(deadline > 0 && deadline <= 3600) {
            throw ValidationError("--deadline takes more than 0 and at most 3600 seconds")
        }
    }
}

/// Where experts run, for every command that runs the model.
struct DeviceOptions: ParsableArguments {
    @Option(help: "Start N device processes on this machine for this run.")
    var localDevices: Int?

    @Option(help: "Wait for devices that dial in here, as HOST:PORT.")
    var devicesListen: Endpoint?

    @Option(help: "With --devices-listen: start when N devices have their experts.")
    var waitDevices: Int?

    @OptionGroup var station: StationOptions
    @OptionGroup var threads: ThreadOption

    func validate() throws {
        if let localDevices, !(1...64).contains(localDevices) {
            throw ValidationError("--local-devices takes 1 to 64")
        }
        if localDevices != nil && devicesListen != nil {
            throw ValidationError("give either --local-devices or --devices-listen")
        }
        if devicesListen != nil && (waitDevices ?? 0) < 1 {
            throw ValidationError("--devices-listen needs --wait-devices N, at least 1")
        }
    }
}

extension ActivationCodec: ExpressibleByArgument {}
