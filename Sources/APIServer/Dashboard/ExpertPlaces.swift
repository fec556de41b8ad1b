import Foundation
package import SystemModel

/// Which machine holds which expert.
package struct ExpertPlaces: Sendable, Equatable {
    /// `[layer][expert]`: the name of the device that the expert is planned for and that is there
    /// or was lost; nil for the base station. Empty for a dense layer.
    package var homes: [[String?]] = []
    /// By device name the experts of others that it holds, or loads, as well.
    package var copies: [String: [ExpertID]] = [:]
    /// Experts of the base station that its memory is to hold; its others it reads from its file.
    /// Nil where that is not told apart.
    package var resident: Set<ExpertID>?

    package init() {}
}

/// Experts numbered through, `layer × width + expert`, in a few bytes.
struct ExpertGrid {
    let layers: Int
    /// Experts of the layer that has most.
    let width: Int

    init(_ places: ExpertPlaces) {
        layers = places.homes.count
        width = places.homes.map(\.count).max() ?? 0
    }

    /// A bit for each expert, the lowest of a byte first, as base64; nothing for no expert.
    ///
    /// - Complexity: O(layers · width / 8 + experts). 58 × 256 experts take 2,476 characters.
    func bits(_ experts: some Sequence<ExpertID>) -> String {
        var bytes = [UInt8](repeating: 0, count: (layers * width + 7) / 8)
        var isEmpty = true
        for id in experts where id.layer < layers && id.expert < width {
            let number = id.layer * width + id.expert
            bytes[number / 8] |= 1 << (number % 8)
            isEmpty = false
        }
        return isEmpty ? "" : Data(bytes).base64EncodedString()
    }

    /// Sixteen bits for each expert, little-endian, as base64: of 65,535 parts of `top`, how many
    /// it has.
    ///
    /// - Complexity: O(layers · width). 58 × 256 experts take 39,596 characters.
    func parts(_ shares: [[Double]], of top: Double) -> String {
        var bytes = Data(capacity: 2 * layers * width)
        for layer in 0..<layers {
            for expert in 0..<width {
                let isKnown = layer < shares.count && expert < shares[layer].count
                let share = isKnown && top > 0 ? shares[layer][expert] / top : 0
                let part = UInt16((65_535 * min(1, max(0, share))).rounded())
                bytes.append(contentsOf: [UInt8(part & 255), UInt8(part >> 8)])
            }
        }
        return bytes.base64EncodedString()
    }
}
