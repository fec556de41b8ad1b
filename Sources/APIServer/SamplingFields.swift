import MoEModel
import OrderedJSON
import Serving

/// What a request says about its answers, the same for texts and conversations.
struct SamplingFields {
    /// How many answers to each prompt.
    let count: Int
    let isStreaming: Bool
    /// Whether a stream's last chunk tells the usage.
    let includesUsage: Bool
    /// Whether a stream tells which experts each token visited.
    let tracesVisits: Bool
    let request: CompletionRequest

    init(_ fields: RequestFields, _ model: ServedModel) throws(APIError) {
        count = try fields.integer("n", in: 1...16) ?? 1
        isStreaming = try fields.boolean("stream") ?? false
        let streaming = try fields.object("stream_options")
        includesUsage = try streaming?.boolean("include_usage") ?? false
        tracesVisits = try fields.object("martlet")?.boolean("trace") ?? false
        var request = CompletionRequest(prompt: [])
        request.sampling = try Self.options(fields, model)
        request.timeLimit = model.timeLimit
        request.stop = try fields.texts("stop", limit: 16).filter { !$0.isEmpty }
        // Scalars, because that is what a schema's maxLength counts.
        guard request.stop.allSatisfy({ $0.unicodeScalars.count <= 256 }) else {
            throw .invalid("stop", "must be of texts of at most 256 characters")
        }
        self.request = request
    }

    private static func options(
        _ fields: RequestFields, _ model: ServedModel
    ) throws(APIError) -> SamplingOptions {
        var options = SamplingOptions()
        options.temperature = try fields.number("temperature", in: 0...100) ?? 1
        options.topP = try fields.number("top_p", in: 1e-9...1) ?? 1
        options.topK = try fields.integer("top_k", in: -1...1_000_000).map { max($0, 0) } ?? 0
        options.minP = try fields.number("min_p", in: 0...1) ?? 0
        options.presencePenalty = try fields.number("presence_penalty", in: -2...2) ?? 0
        options.frequencyPenalty = try fields.number("frequency_penalty", in: -2...2) ?? 0
        options.repetitionPenalty = try fields.number("repetition_penalty", in: 0.01...100) ?? 1
        options.logitBias = try logitBias(fields, model)
        let seed = try fields.integer("seed", in: .min ... .max)
        options.seed = seed.map { UInt64(bitPattern: Int64($0)) } ?? model.randomNumber()
        return options
    }

    private static func logitBias(
        _ fields: RequestFields, _ model: ServedModel
    ) throws(APIError) -> [Int: Double] {
        let name = "logit_bias"
        guard let object = try fields.object(name), case .object(let members) = object.json
        else { return [:] }
        guard members.count <= 1024 else { throw .invalid(name, "must be at most 1024 ids") }
        var bias: [Int: Double] = [:]
        for member in members {
            guard let id = Int(member.key.text), 0..<model.vocabulary ~= id else {
                throw .invalid(name, "\(member.key.excerpt) is not an id below \(model.vocabulary)")
            }
            let value: Double
            switch member.value {
            case .integer(let number): value = Double(number)
            case .number(let number): value = number
            default: throw .invalid(name, "must be of numbers")
            }
            guard -100...100 ~= value else { throw .invalid(name, "must be from -100 to 100") }
            bias[id] = value
        }
        return bias
    }
}
