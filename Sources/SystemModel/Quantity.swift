/// A number with its unit in its type: hertz and watts cannot be mixed up or added.
///
/// Planners' inner loops work on `value`; everything that crosses a type's boundary keeps its unit.
package struct Quantity<Unit>: Sendable, Hashable, Comparable {
    /// The number, in the type's unit.
    package var value: Double

    package init(_ value: Double) {
        self.value = value
    }

    /// No amount at all.
    package static var zero: Self { Self(0) }

    /// Orders by size.
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    /// The sum, in the same unit.
    package static func + (left: Self, right: Self) -> Self { Self(left.value + right.value) }

    /// The difference, in the same unit.
    package static func - (left: Self, right: Self) -> Self { Self(left.value - right.value) }

    /// A multiple, in the same unit.
    package static func * (factor: Double, quantity: Self) -> Self {
        Self(factor * quantity.value)
    }

    /// How many times `right` goes into `left`.
    package static func / (left: Self, right: Self) -> Double { left.value / right.value }
}

/// The units that quantities of the system model have.
package enum Units {
    /// Bandwidth or frequency.
    package enum Hertz {}
    /// Power.
    package enum Watts {}
    /// Power spectral density.
    package enum WattsPerHertz {}
    /// Length.
    package enum Metres {}
    /// Speed of motion.
    package enum MetresPerSecond {}
    /// Time.
    package enum Seconds {}
    /// Energy.
    package enum Joules {}
    /// Information.
    package enum Bits {}
    /// Rate of a link.
    package enum BitsPerSecond {}
    /// Ratio of powers, logarithmic.
    package enum Decibels {}
    /// Floating-point operations.
    package enum Operations {}
    /// Speed of a processor.
    package enum OperationsPerSecond {}
}

package typealias Hertz = Quantity<Units.Hertz>
package typealias Watts = Quantity<Units.Watts>
package typealias WattsPerHertz = Quantity<Units.WattsPerHertz>
package typealias Metres = Quantity<Units.Metres>
package typealias MetresPerSecond = Quantity<Units.MetresPerSecond>
package typealias Seconds = Quantity<Units.Seconds>
package typealias Joules = Quantity<Units.Joules>
package typealias Bits = Quantity<Units.Bits>
package typealias BitsPerSecond = Quantity<Units.BitsPerSecond>
package typealias Decibels = Quantity<Units.Decibels>
/// Floating-point operations; a multiply-add counts two.
package typealias Operations = Quantity<Units.Operations>
package typealias OperationsPerSecond = Quantity<Units.OperationsPerSecond>

extension Bits {
    /// The time that these bits take at `rate`; infinite at no rate.
    package static func / (bits: Bits, rate: BitsPerSecond) -> Seconds {
        Seconds(bits.value == 0 ? 0 : bits.value / rate.value)
    }
}

extension Operations {
    /// The time that this work takes at `speed`.
    package static func / (work: Operations, speed: OperationsPerSecond) -> Seconds {
        Seconds(work.value == 0 ? 0 : work.value / speed.value)
    }
}

extension Watts {
    /// The energy of this power over `time`.
    package static func * (power: Watts, time: Seconds) -> Joules {
        Joules(power.value * time.value)
    }
}
