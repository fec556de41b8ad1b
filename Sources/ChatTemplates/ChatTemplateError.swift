/// Why a chat template could not be read or rendered.
///
/// Templates and conversations come from outside, so this is always an error of the world. The
/// message is the one of Jinja (and Python) wherever that has one.
package struct ChatTemplateError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure; the raw value is the name that Jinja or Python gives to it.
    package enum Code: String, Sendable {
        /// The template is not well-formed.
        case syntax = "TemplateSyntaxError"
        /// The template names a filter or test that does not exist.
        case assertion = "TemplateAssertionError"
        /// The template called `raise_exception`: it refuses this conversation.
        case raised = "TemplateError"
        /// A rule of the language was broken while rendering.
        case runtime = "TemplateRuntimeError"
        /// Something was asked of a value that is not defined.
        case undefined = "UndefinedError"
        /// The sandbox forbids it, such as changing a list.
        case security = "SecurityError"
        /// A filter was called with arguments that it does not take.
        case filterArgument = "FilterArgumentError"
        /// An operation on a value of the wrong type.
        case type = "TypeError"
        /// An operation on a value of the right type that is out of its domain.
        case value = "ValueError"
        /// A division by zero.
        case zeroDivision = "ZeroDivisionError"
        /// An integer outside 64 bits, or a range beyond the sandbox's.
        case overflow = "OverflowError"
        /// A key that `format` needs is missing.
        case key = "KeyError"
        /// A position that `format` needs is missing.
        case index = "IndexError"
        /// One of ``TemplateLimits`` was reached.
        case limit = "LimitError"
        /// A part of Jinja that this interpreter leaves out on purpose, such as `include`.
        case unsupported = "UnsupportedError"
    }

    /// The kind of failure.
    package let code: Code
    /// One line, as Jinja words it; for `raise_exception` the template's own words.
    package let message: String
    /// The name that the template was given.
    package let template: String
    /// The line in the template, from 1.
    package let line: Int

    /// `NAME:LINE: KIND: MESSAGE`.
    package var description: String { "\(template):\(line): \(code.rawValue): \(message)" }
}

/// A failure inside the interpreter, before it is known in which template and line it happened.
struct Failure: Error {
    var code: ChatTemplateError.Code
    var message: String
    /// The line, where the thrower knows better than the interpreter.
    var line: Int?

    init(_ code: ChatTemplateError.Code, _ message: String, line: Int? = nil) {
        self.code = code
        self.message = message
        self.line = line
    }
}
