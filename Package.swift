// swift-tools-version: 6.2
import PackageDescription

/// One set of settings for every Swift target.
/// ExistentialAny: SE-0335. InternalImportsByDefault: SE-0409. MemberImportVisibility: SE-0444.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(
    name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(
    name: "HummingbirdTesting", package: "hummingbird")
let lifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(
    name: "UnixSignals", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// A Swift target under Sources/ with the common settings.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// The tests of target `name`, under Tests/.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: ["TestSupport"] + dependencies,
        swiftSettings: settings)
}

let package = Package(
    name: "martlet",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    // Layers, lowest first. An arrow points only to an earlier line.
    targets: [
        .target(
            name: "WebFiles", resources: [.embedInCode("Resources")],
            swiftSettings: settings),
        library("OrderedJSON"),
        library("SystemModel"),
        .target(name: "CKernels"),
        library("Tokenizers", ["OrderedJSON"]),
        library("ChatTemplates", ["OrderedJSON"]),
        library("StructuredOutput", ["OrderedJSON", "Tokenizers"]),
        library("Tensors", ["CKernels"]),
        library("Planning", ["SystemModel"]),
        library("Registries", ["SystemModel"]),
        library("Scenarios", ["SystemModel", yams]),
        library("ModelFiles", ["OrderedJSON", "Tensors", "Tokenizers"]),
        library("Wire", ["SystemModel", "Tensors"]),
        library("MoEModel", ["SystemModel", "Tensors", "ModelFiles", "Tokenizers"]),
        library(
            "Worker",
            [
                "SystemModel", "Registries", "Tensors", "ModelFiles", "MoEModel", "Wire", crypto,
                system,
            ]),
        library(
            "Coordinator",
            [
                "SystemModel", "Planning", "Tensors", "ModelFiles", "MoEModel", "Wire",
                "Tokenizers", crypto,
            ]),
        library(
            "Serving", ["SystemModel", "Tensors", "Tokenizers", "StructuredOutput", "MoEModel"]),
        library("Simulator", ["SystemModel", "Planning", "Scenarios", "MoEModel"]),
        library("Calibration", ["SystemModel", "Planning", "Tensors", "MoEModel", grdb]),
        library("NIOTransport", ["Wire", nioCore, nioPosix]),
        library("Cell", ["SystemModel", "Scenarios", nioCore, nioPosix]),
        library(
            "APIServer",
            [
                "WebFiles", "OrderedJSON", "SystemModel", "Tokenizers", "ChatTemplates",
                "StructuredOutput", "Serving", "MoEModel", crypto, httpTypes, hummingbird,
                hummingbirdCore, hummingbirdTLS, lifecycle, logging, nioCore, nioSSL, signals,
            ]),
        .executableTarget(
            name: "martlet",
            dependencies: [
                "OrderedJSON", "SystemModel", "Tensors", "Tokenizers", "ChatTemplates", "Planning",
                "Registries", "Scenarios", "ModelFiles", "Wire", "MoEModel", "Worker",
                "Coordinator", "Simulator",
                "Calibration", "NIOTransport", "Cell", "Serving", "APIServer", argumentParser,
                logging, yams,
            ],
            swiftSettings: settings),

        .target(
            name: "TestSupport", dependencies: ["SystemModel"], path: "Tests/TestSupport",
            swiftSettings: settings),
        tests("OrderedJSON", ["OrderedJSON", "SystemModel"]),
        tests("SystemModel", ["SystemModel"]),
        tests("Planning", ["Planning", "SystemModel"]),
        tests("Registries", ["Registries", "SystemModel"]),
        tests("Scenarios", ["Scenarios", "SystemModel"]),
        tests("Tensors", ["SystemModel", "Tensors"]),
        tests("Tokenizers", ["OrderedJSON", "SystemModel", "Tokenizers"]),
        tests("ChatTemplates", ["ChatTemplates"]),
        tests(
            "StructuredOutput", ["OrderedJSON", "StructuredOutput", "SystemModel", "Tokenizers"]),
        tests(
            "ModelFiles", ["ModelFiles", "OrderedJSON", "SystemModel", "Tensors", "Tokenizers"]),
        tests("MoEModel", ["MoEModel", "ModelFiles", "SystemModel", "Tensors"]),
        tests(
            "Simulator",
            ["Simulator", "Scenarios", "Planning", "MoEModel", "ModelFiles", "SystemModel"]),
        tests(
            "Calibration",
            ["Calibration", "MoEModel", "ModelFiles", "Planning", "SystemModel"]),
        tests("Wire", ["SystemModel", "Tensors", "Wire"]),
        tests("NIOTransport", ["SystemModel", "Wire", "NIOTransport", nioCore, nioPosix]),
        tests("Cell", ["SystemModel", "Scenarios", "Cell", nioCore, nioPosix]),
        tests(
            "Serving",
            [
                "Serving", "MoEModel", "ModelFiles", "OrderedJSON", "StructuredOutput",
                "SystemModel", "Tensors", "Tokenizers",
            ]),
        tests(
            "APIServer",
            [
                "APIServer", "Serving", "MoEModel", "ModelFiles", "OrderedJSON", "SystemModel",
                "Tokenizers", "ChatTemplates", httpTypes, hummingbird,
                hummingbirdTesting, logging,
            ]),
        tests(
            "Worker",
            ["SystemModel", "Registries", "Tensors", "ModelFiles", "MoEModel", "Wire", "Worker"]),
        tests("Coordinator", ["Coordinator", "Planning", "SystemModel"]),
        tests(
            "Cluster",
            [
                "SystemModel", "Registries", "Tensors", "ModelFiles", "MoEModel", "Wire", "Worker",
                "Coordinator", "Planning", "NIOTransport",
            ]),
        tests("Tidy", []),
    ]
)
