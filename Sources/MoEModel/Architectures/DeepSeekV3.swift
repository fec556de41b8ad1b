import ModelFiles

extension Architecture {
    /// DeepSeek-V3 and R1 (2024), in Hugging Face's names: V2's attention, sigmoid scores with a
    /// bias that only the choice sees, and groups ranked by their two best.
    static var deepSeekV3: Architecture {
        Architecture(ggufName: nil, modelType: "deepseek_v3") {
            (reader) throws(ModelFileError) in
            let interleaves = try reader.settings.boolean(.interleavesRotary) ?? true
            var model = try reader.deepSeek(pairing: interleaves ? .interleaved : .halves)
            guard var experts = try reader.experts(normalizesByDefault: true) else { return model }
            experts.scoring = .sigmoid
            experts.weightScale = Float(try reader.settings.number(.weightScale) ?? 2.5)
            experts.groups = try reader.groups(experts, .sumOfTwoLargest)
            try reader.addDeepSeekExperts(experts, to: &model)
            return model
        }
    }
}
