import SystemModel
import Tensors
import Testing

@testable import Wire

/// Pinned: what exceeds a limit or contradicts the model is refused, when it is read and when it
/// is written, with the field in the message.
struct LimitTests {
    /// A device with one field that may not be.
    struct BadDevice: Sendable {
        let field: String
        var device = Examples.device

        init(_ field: String, _ change: (inout DeviceDescription) -> Void) {
            self.field = field
            change(&device)
        }
    }

    static let badDevices = [
        BadDevice("name") { $0.name = "" },
        BadDevice("name") { $0.name = String(repeating: "n", count: Limits.nameBytes + 1) },
        BadDevice("name") { $0.name = "two\nlines" },
        BadDevice("name") { $0.name = "right\u{202E}left" },
        BadDevice("instructionSet") { $0.instructionSet = "\u{7}" },
        BadDevice("memoryBytes") { $0.memoryBytes = 0 },
        BadDevice("memoryBytes") { $0.memoryBytes = .max },
        BadDevice("cores") { $0.cores = -1 },
        BadDevice("memoryGigabytesPerSecond") { $0.memoryGigabytesPerSecond = .nan },
        BadDevice("memoryGigabytesPerSecond") { $0.memoryGigabytesPerSecond = 0 },
        BadDevice("gigaflopsPerSecond") { $0.gigaflopsPerSecond = .infinity },
    ]

    @Test(arguments: badDevices)
    func devices(_ bad: BadDevice) {
        Self.expectError(bad.field) { try Hello(.control(bad.device)).frame() }
    }

    @Test(arguments: [
        ("layer", 4, 0, 300, 100), ("layer", -1, 0, 300, 100), ("number", 0, 8, 300, 100),
        ("byteCount", 0, 0, 0, 100), ("byteCount", 0, 0, .max, 100),
        ("end in the blob", 0, 0, 299, 100), ("byteCount", 0, 0, 300, .max),
        ("byteCount", 0, 0, 300, 0),
    ])
    func manifests(field: String, layer: Int, expert: Int, blob: Int, last: Int) {
        let tensor = TensorManifest(
            name: "down", format: "f32", rows: 1, columns: 1, byteOffset: 200, byteCount: last)
        let manifest = ExpertManifest(
            id: ExpertID(layer: layer, expert: expert), sha256: Examples.digest, byteCount: blob,
            tensors: [tensor])
        Self.expectError(field) {
            try Assignment(model: Examples.model, experts: [manifest]).frame()
        }
    }

    @Test
    func assignmentsAreWithoutRepetition() {
        let expert = Examples.expert(1, 1)
        Self.expectError("named twice") {
            try Assignment(model: Examples.model, experts: [expert, expert]).frame()
        }
        Self.expectError("named twice") {
            try Assignment(model: Examples.model, experts: [expert], kept: [expert]).frame()
        }
        Self.expectError("expert: number") {
            try Assignment(model: Examples.model, experts: [], kept: [Examples.expert(0, 8)])
                .frame()
        }
        let tensors = expert.tensors + [expert.tensors[0]]
        Self.expectError("same name") {
            let twice = ExpertManifest(
                id: expert.id, sha256: Examples.digest, byteCount: 300, tensors: tensors)
            return try Assignment(model: Examples.model, experts: [twice]).frame()
        }
    }

    /// The largest assignment allowed, with names of ordinary length, fits in a control message.
    @Test
    func theLargestAssignmentFits() throws {
        let model = ModelFacts(
            hiddenSize: 7168, layerCount: 64, expertCount: 256, activationFunction: "silu")
        let experts = (0..<Limits.expertsPerAssignment).map { Examples.expert($0 / 256, $0 % 256) }
        let frame = try Assignment(model: model, experts: experts).frame()
        #expect(frame.payload.count < Limits.controlMessageBytes)
    }

    @Test(arguments: [0, -1, Limits.deviceMemoryBytes + 1])
    func offers(memoryBytes: Int) {
        Self.expectError("memoryBytes") { try Offer(memoryBytes: memoryBytes).frame() }
        let json = Array("{\"memoryBytes\":\(memoryBytes)}".utf8)
        Self.expectError("memoryBytes") { try Offer(frame: Frame(kind: .offer, payload: json)) }
    }

    /// What is to be kept on disk counts as well.
    @Test
    func tooLargeAnAssignmentIsRefused() {
        let model = ModelFacts(
            hiddenSize: 7168, layerCount: 65, expertCount: 256, activationFunction: "silu")
        let experts = (0..<Limits.expertsPerAssignment).map { Examples.expert($0 / 256, $0 % 256) }
        Self.expectError("expert count") {
            try Assignment(model: model, experts: experts, kept: [Examples.expert(64, 0)]).frame()
        }
    }

    @Test(arguments: [-1, Limits.deviceDiskBytes + 1])
    func disks(_ bytes: Int) {
        var device = Examples.device
        device.diskBytes = bytes
        Self.expectError("diskBytes") { try Hello(.control(device)).frame() }
        Self.expectError("bytesKept") {
            try AssignmentProgress(
                ready: [], bytesFetched: 0, bytesFromCache: 0, bytesKept: bytes
            ).frame()
        }
        Self.expectError("progress: layer") {
            try AssignmentProgress(
                ready: [], bytesFetched: 0, bytesFromCache: 0,
                kept: [ExpertID(layer: Limits.layers, expert: 0)]
            ).frame()
        }
    }

    @Test
    func fetchesAndChunks() {
        let digest = Examples.digest
        Self.expectError("byteCount") {
            try Fetch(digest: digest, offset: 0, byteCount: Limits.chunkBytes + 1).frame()
        }
        Self.expectError("offset") {
            try Fetch(digest: digest, offset: -1, byteCount: 1).frame()
        }
        for bytes in [[], [UInt8](repeating: 0, count: Limits.chunkBytes + 1)] {
            Self.expectError("count") {
                try Chunk(digest: digest, offset: 0, chunkDigest: digest, bytes: bytes).frame()
            }
        }
        Self.expectError("offset") {
            try Chunk(
                digest: digest, offset: Limits.expertBytes, chunkDigest: digest, bytes: [1]
            ).frame()
        }
    }

    @Test(arguments: [
        ("row 3", [ExpertPair(row: 3, expert: 0, weight: 1)]),
        ("row -1", [ExpertPair(row: -1, expert: 0, weight: 1)]),
        ("expert 4096", [ExpertPair(row: 0, expert: 4096, weight: 1)]),
        ("pairs", []),
        ("weight", [ExpertPair(row: 0, expert: 0, weight: .nan)]),
        (
            "ascend",
            [ExpertPair(row: 1, expert: 0, weight: 1), ExpertPair(row: 0, expert: 1, weight: 1)]
        ),
        (
            "ascend",
            [ExpertPair(row: 1, expert: 2, weight: 1), ExpertPair(row: 1, expert: 2, weight: 1)]
        ),
    ])
    func pairs(field: String, pairs: [ExpertPair]) {
        let batch = ExpertBatch(
            requestID: 1, layer: 0, codec: .fp32, inputs: Matrix(rows: 3, columns: 12), pairs: pairs
        )
        Self.expectError(field) { try batch.frame() }
    }

    @Test(arguments: [
        (0, 12), (Limits.rowsPerBatch + 1, 1), (1, 0), (1, Limits.hiddenSize + 1),
        (1024, Limits.hiddenSize),
    ])
    func shapes(rows: Int, columns: Int) {
        let matrix = Matrix(rows: rows, columns: columns)
        Self.expectError("expert batch") {
            try ExpertBatch(
                requestID: 1, layer: 0, codec: .fp32, inputs: matrix,
                pairs: [ExpertPair(row: 0, expert: 0, weight: 1)]
            ).frame()
        }
        Self.expectError("expert result") {
            try ExpertResult(requestID: 1, codec: .fp32, computeNanoseconds: 1, outputs: matrix)
                .frame()
        }
    }

    @Test
    func whatTheModelDoesNotHaveIsRefused() throws {
        let frame = try Examples.batch(.fp32).frame()
        let smaller = [
            ModelFacts(hiddenSize: 12, layerCount: 3, expertCount: 8, activationFunction: "silu"),
            ModelFacts(hiddenSize: 12, layerCount: 4, expertCount: 7, activationFunction: "silu"),
            ModelFacts(hiddenSize: 11, layerCount: 4, expertCount: 8, activationFunction: "silu"),
        ]
        for model in smaller {
            #expect(throws: WireError.self) { try ExpertBatch(frame: frame, model: model) }
        }
        let result = try Examples.result(.fp32).frame()
        #expect(throws: WireError.self) { try ExpertResult(frame: result, model: smaller[2]) }
    }

    @Test
    func textForPeopleIsCutToALine() throws {
        let long = String(repeating: "ü", count: Limits.messageBytes)
        #expect(try Refusal(.invalid, long).frame().payload.count < Limits.messageBytes + 100)
        let failure = Failure(requestID: nil, message: "a\nb\u{1B}[2J\u{202E}c")
        #expect(failure.message == "a b [2J c")
        #expect(try Failure(frame: failure.frame()) == failure)
    }

    private static func expectError(
        _ field: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws -> Any
    ) {
        let error = #expect(throws: WireError.self, sourceLocation: sourceLocation) {
            _ = try body()
        }
        #expect(
            error?.message.contains(field) == true, "\(String(describing: error))",
            sourceLocation: sourceLocation)
    }
}
