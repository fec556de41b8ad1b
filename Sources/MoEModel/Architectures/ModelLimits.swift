/// What a configuration may ask for, so that absurd metadata are refused before use.
enum ModelLimits {
    /// Widths: hidden, inner, vocabulary; the largest published is a vocabulary of 262,144.
    static let width = 1 << 22
    /// The deepest published model has 126.
    static let layers = 1024
    /// Ten million tokens are the longest context published.
    static let context = 1 << 27
    /// Query heads; the largest published model has 128.
    static let heads = 4096
    /// Experts of one layer; the largest published model has 512.
    static let experts = 4096
}
