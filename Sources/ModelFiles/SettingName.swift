/// One setting under its two names.
package struct SettingName: Sendable {
    /// The GGUF key without the architecture's prefix, such as "block_count"; nil where GGUF has no
    /// such key.
    package let gguf: String?
    /// The names in config.json; the first that is there counts.
    package let config: [String]

    package init(gguf: String?, config: String...) {
        self.gguf = gguf
        self.config = config
    }
}
