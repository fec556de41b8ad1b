import Coordinator
import Foundation
import Planning
import SystemModel

/// A plan file: what `plan deploy` writes and `--plan` reads.
struct DeploymentPlan: Encodable {
    /// A file of another version is refused.
    static let version = 1

    struct Device: Encodable {
        let name: String
        /// `[layer, expert]`
        let experts: [[Int]]
        /// What it holds beside those, for when others are slow or gone.
        let copies: [[Int]]
        /// Of both.
        let bytes: Int
        let memoryBytes: Int
    }

    struct Foreseen: Encodable {
        let secondsPerToken: Double
        let secondsPerPromptRow: Double
        let roundTripsPerToken: Double
        let framesPerToken: Double
    }

    /// `expertBytes` by layer tells models apart.
    struct ModelFacts: Encodable, Equatable {
        let experts: Int
        let expertBytes: [Int]
    }

    private let martletPlan = Self.version
    private let model: ModelFacts
    private let resident: [[Int]]
    private let residentBytes: Int
    /// Of the base station's memory, for experts that tokens visited last; nil: none.
    private let recentBytes: Int?
    private let devices: [Device]
    private let foreseen: Foreseen?

    /// - Parameter copies: by device.
    init(_ problem: DeploymentProblem, _ homes: [[ExpertHome]], copies: [[ExpertID]]) {
        func held(_ home: ExpertHome) -> [[Int]] {
            homes.enumerated().flatMap { layer, experts in
                experts.indices.filter { experts[$0] == home }.map { [layer, $0] }
            }
        }
        func bytes(_ experts: [[Int]]) -> Int {
            experts.reduce(0) { $0 + problem.shape.expertBytes[$1[0]] }
        }
        model = ModelFacts(
            experts: problem.shape.experts, expertBytes: problem.shape.expertBytes)
        resident = held(.resident)
        residentBytes = bytes(resident)
        let recent = problem.recentBytes(homes)
        recentBytes = recent > 0 ? recent : nil
        devices = problem.devices.enumerated().map { number, device in
            let experts = held(.device(number))
            let spare = copies[number].map { [$0.layer, $0.expert] }
            return Device(
                name: device.name, experts: experts, copies: spare, bytes: bytes(experts + spare),
                memoryBytes: device.memoryBytes)
        }
        let cost = problem.cost(homes)
        foreseen = Foreseen(
            secondsPerToken: cost.secondsPerToken,
            secondsPerPromptRow: cost.secondsPerPromptRow,
            roundTripsPerToken: cost.roundTripsPerToken, framesPerToken: cost.framesPerToken)
    }
}

extension ContentPlan {
    /// Takes from a plan file who holds what.
    ///
    /// - Throws: a refusal that names the entry: another version or model, an expert outside the
    ///   model, one named twice by one machine or by the base station and a device, more than a
    ///   device has memory for, a device twice, a sum of bytes that is not that of its experts.
    mutating func read(plan file: String, for shape: ModelShape) throws {
        let root = try ProblemField(file: file)
        try root.allow([
            "martletPlan", "model", "resident", "residentBytes", "recentBytes", "devices",
            "foreseen",
        ])
        _ = try root["martletPlan"].integer(DeploymentPlan.version...DeploymentPlan.version)
        try Self.check(root["model"], shape)
        let here = try Self.experts(root["resident"], shape)
        try Self.check(root["residentBytes"], Self.bytes(here, shape))
        resident = Set(here)
        recentBytes =
            root["recentBytes"].isMissing
            ? 0 : try root["recentBytes"].integer(0...ProblemLimits.bytes)
        var planned: [String: [ExpertID]] = [:]
        standby = [:]
        for field in try root["devices"].elements(0...ProblemLimits.devices) {
            try field.allow(["name", "experts", "copies", "bytes", "memoryBytes"])
            let name = try field["name"].text()
            guard planned[name] == nil else {
                throw field["name"].refused("names \"\(name)\" again")
            }
            let experts = try held(field["experts"], shape)
            let copies = field["copies"].isMissing ? [] : try held(field["copies"], shape)
            if let twice = copies.first(where: experts.contains) {
                throw field["copies"].refused(
                    "has layer \(twice.layer), expert \(twice.expert), which is among its experts")
            }
            let bytes = Self.bytes(experts + copies, shape)
            try Self.check(field["bytes"], bytes)
            let memory = try field["memoryBytes"].integer(0...ProblemLimits.bytes)
            guard bytes <= memory else {
                throw field["experts"].refused("need \(bytes) bytes, the device has \(memory)")
            }
            planned[name] = experts
            standby[name] = copies
        }
        devices = planned
        self.file = file
        foreseen = root["foreseen"].isMissing ? nil : try Foreseen(root["foreseen"])
    }

    private static func bytes(_ experts: [ExpertID], _ shape: ModelShape) -> Int {
        experts.reduce(0) { $0 + shape.expertBytes[$1.layer] }
    }

    /// A sum of bytes, which may be left out, is that of the experts beside it.
    private static func check(_ field: ProblemField, _ bytes: Int) throws {
        guard !field.isMissing, try field.integer(0...ProblemLimits.bytes) != bytes else { return }
        throw field.refused("is not the \(bytes) of the experts beside it")
    }

    /// A device's experts, none of them the base station's.
    private func held(_ field: ProblemField, _ shape: ModelShape) throws -> [ExpertID] {
        let experts = try Self.experts(field, shape)
        for (id, entry) in zip(experts, try field.elements(0...shape.layers * shape.experts))
        where resident.contains(id) {
            throw entry.refused("is at the base station, too")
        }
        return experts
    }

    private static func check(_ field: ProblemField, _ shape: ModelShape) throws {
        try field.allow(["experts", "expertBytes"])
        let experts = try field["experts"].integer(0...ProblemLimits.experts)
        let bytes = try field["expertBytes"].elements(0...ProblemLimits.layers).map {
            try $0.integer(0...ProblemLimits.bytes)
        }
        guard experts == shape.experts, bytes == shape.expertBytes else {
            throw field.refused("is another model; make the plan with this one's file")
        }
    }

    private static func experts(_ field: ProblemField, _ shape: ModelShape) throws -> [ExpertID] {
        let all = shape.layers * shape.experts
        var seen: Set<ExpertID> = []
        return try field.elements(0...all).map { entry in
            let parts = try entry.elements(2...2)
            let id = ExpertID(
                layer: try parts[0].integer(0...max(0, shape.layers - 1)),
                expert: try parts[1].integer(0...max(0, shape.experts - 1)))
            guard shape.expertBytes[id.layer] > 0 else {
                throw entry.refused("is in layer \(id.layer), which has no experts")
            }
            guard seen.insert(id).inserted else { throw entry.refused("is there twice") }
            return id
        }
    }
}

extension ContentPlan.Foreseen {
    fileprivate init(_ field: ProblemField) throws {
        try field.allow([
            "secondsPerToken", "secondsPerPromptRow", "roundTripsPerToken", "framesPerToken",
        ])
        self.init(
            secondsPerToken: try field["secondsPerToken"].notNegative(),
            roundTripsPerToken: try field["roundTripsPerToken"].notNegative(),
            framesPerToken: try field["framesPerToken"].notNegative())
    }
}

extension DeploymentProblem {
    /// Reads devices and times of a base station.
    init(
        _ root: ProblemField, shape: ModelShape, sets: [[RoutedSet]], residentBytes: Int
    ) throws {
        try root.allow([
            "devices", "residentSeconds", "fileSeconds", "promptRows", "frameSeconds",
        ])
        var names: Set<String> = []
        let devices = try root["devices"].elements(1...1_000).map { field in
            try field.allow([
                "name", "memoryBytes", "messageSeconds", "visitSeconds", "rowSeconds",
            ])
            let name = try field["name"].text()
            guard names.insert(name).inserted else {
                throw field["name"].refused("names \"\(name)\" again")
            }
            return Device(
                name: name, memoryBytes: try field["memoryBytes"].integer(0...ProblemLimits.bytes),
                messageSeconds: try field["messageSeconds"].number(0...3600),
                visitSeconds: try field["visitSeconds"].number(0...3600),
                rowSeconds: try time(field["rowSeconds"], else: 0))
        }
        func time(_ field: ProblemField, else usual: Double) throws -> Double {
            field.isMissing ? usual : try field.number(0...3600)
        }
        self.init(
            shape: shape, sets: sets, devices: devices, residentBytes: residentBytes,
            residentSeconds: try time(root["residentSeconds"], else: 0),
            fileSeconds: try time(root["fileSeconds"], else: 0.005),
            promptRows: root["promptRows"].isMissing ? 1 : try root["promptRows"].number(0...1e6),
            frameSeconds: try time(root["frameSeconds"], else: Self.usualFrameSeconds))
    }
}

extension ContentPlan {
    /// The plan as a problem's devices have it: where each expert is computed, and all that each
    /// device holds. Devices that the problem does not name are left out.
    func homes(
        _ problem: DeploymentProblem
    ) -> (homes: [[ExpertHome]], held: [Set<ExpertID>]) {
        var homes = problem.shape.expertBytes.map { bytes in
            [ExpertHome](repeating: .file, count: bytes > 0 ? problem.shape.experts : 0)
        }
        for id in resident { homes[id.layer][id.expert] = .resident }
        // As while serving: of the devices that hold an expert the first by name computes, and who
        // stands by only where nobody else is there.
        let order = problem.devices.indices.sorted {
            problem.devices[$0].name < problem.devices[$1].name
        }
        for content in [devices ?? [:], standby] {
            for device in order {
                for id in content[problem.devices[device].name] ?? []
                where homes[id.layer][id.expert] == .file {
                    homes[id.layer][id.expert] = .device(device)
                }
            }
        }
        let held = problem.devices.map { device in
            Set((devices?[device.name] ?? []) + (standby[device.name] ?? []))
        }
        return (homes, held)
    }
}
