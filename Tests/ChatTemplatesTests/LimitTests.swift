import ChatTemplates
import Testing

/// Hostile templates and values end in an error that says which limit, never in a crash or a long
/// wait.
struct LimitTests {
    private static let hostile: [(source: String, code: ChatTemplateError.Code)] = [
        // Work.
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", .limit),
        (doubling("s ~ s", start: "'ab'", use: "s"), .limit),
        (doubling("s + s", start: "[1]", use: "s"), .limit),
        (doubling("[s, s]", start: "1", use: "s"), .limit),
        (doubling("{'a': s, 'b': s}", start: "1", use: "s|tojson"), .limit),
        (doubling("(s, s)", start: "1", use: "{s: 1}"), .limit),
        (doubling("[s, s]", start: "1", use: "s == s[:]"), .limit),
        (doubling("s.replace('a', 'aa')", start: "'aa'", use: "s"), .limit),
        (doubling("s.join([s, s])", start: "'ab'", use: "s"), .limit),
        // Sizes.
        ("{{ 'a' * 999999999999 }}", .limit),
        ("{{ 'ab' * 9223372036854775807 }}", .limit),
        ("{{ [1] * 999999999 }}", .limit),
        ("{{ [1, 2] * 9223372036854775807 }}", .limit),
        ("{{ 'a'.center(999999999) }}", .limit),
        ("{{ 'a'|center(999999999) }}", .limit),
        ("{{ '%999999999d' % 1 }}", .limit),
        ("{{ '%.999999999f' % 1.5 }}", .limit),
        ("{{ '{:999999999}'.format(1) }}", .limit),
        ("{{ 'a\\na'|indent(999999999) }}", .limit),
        ("{{ [1]|tojson(indent=999999999) }}", .limit),
        ("{{ [1]|batch(999999999, 1)|list }}", .limit),
        ("{{ [1]|slice(999999999)|list }}", .limit),
        ("{{ '\\t'.expandtabs(999999999) }}", .limit),
        ("{{ range(100001) }}", .overflow),
        ("{{ range(0, 9223372036854775807, 9223372036854775807)[1:] }}", .overflow),
        ("{{ range(-9223372036854775807, 9223372036854775807) }}", .overflow),
        // Depth.
        (String(repeating: "(", count: 5000) + String(repeating: ")", count: 5000), .limit),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", .limit),
        (nesting("ns.x = [ns.x]"), .limit),
        (nesting("ns.x = {'a': ns.x}"), .limit),
        (nesting("ns.x = ns.x|batch(1)|list"), .limit),
        (nesting("ns.x = ns.x|map('string')"), .limit),
        (nesting("ns.x = joiner(ns.x)"), .limit),
        ("{% set ns = namespace() %}{% set ns.x = [ns] %}{{ ns }}", .limit),
        // Arithmetic.
        ("{{ 9223372036854775807 + 1 }}", .overflow),
        ("{{ -9223372036854775807 - 2 }}", .overflow),
        ("{{ 9223372036854775807 * 2 }}", .overflow),
        ("{{ (-9223372036854775807 - 1) // -1 }}", .overflow),
        ("{{ (-9223372036854775807 - 1)|abs }}", .overflow),
        ("{{ 10 ** 100 }}", .overflow),
        ("{{ 99999999999999999999 }}", .overflow),
        ("{{ 1e308|int }}", .overflow),
        ("{{ 9223372036854775807|round(-1) }}", .overflow),
        ("{{ 1 % 0 }}", .zeroDivision),
        // What the sandbox hides or leaves out.
        ("{{ ''.__class__.__mro__ }}", .security),
        ("{{ [].append(1) }}", .security),
        ("{{ {}.update({}) }}", .security),
        ("{% set ns = namespace() %}{% set ns.__class__ = 1 %}", .security),
        ("{% include 'x' %}", .unsupported),
        ("{% import 'x' as y %}", .unsupported),
        ("{% extends 'x' %}", .unsupported),
    ]

    private static func doubling(_ step: String, start: String, use: String) -> String {
        "{% set ns = namespace(s=\(start)) %}{% for i in range(90) %}{% set s = ns.s %}"
            + "{% set ns.s = \(step) %}{% endfor %}{% set s = ns.s %}{{ \(use) }}"
    }

    private static func nesting(_ step: String) -> String {
        "{% set ns = namespace(x=[1]) %}{% for i in range(99999) %}{% set \(step) %}{% endfor %}"
    }

    @Test(arguments: hostile.indices)
    func endsInAnError(index: Int) {
        let (source, code) = Self.hostile[index]
        let shown = source.prefix(100)
        do throws(ChatTemplateError) {
            let wrapped = source.hasPrefix("(") ? "{{ \(source) }}" : source
            let template = try ChatTemplate(wrapped, name: "hostile")
            _ = try template.render([:], now: TemplateFixtures.now)
            Issue.record("No error: \(shown)")
        } catch {
            #expect(error.code == code, "\(shown): \(error)")
        }
    }

    @Test func cyclesOfReferencesAreBroken() throws {
        let source = """
            {% set ns = namespace() %}{% set ns.self = ns %}{% macro m() %}{{ ns }}{% endmacro %}
            {% set ns.macro = m %}{% for i in range(50000) %}
            {% set ns.next = namespace(p=ns.next) %}
            {% endfor %}done
            """
        let template = try ChatTemplate(source, name: "cycles")
        #expect(try template.render([:], now: TemplateFixtures.now).hasSuffix("done"))
    }

    @Test func valuesAreBounded() {
        let deep = [UInt8](String(repeating: "[", count: 5000).utf8)
        #expect(throws: TemplateValue.JSONError.self) { try TemplateValue(json: deep) }
        var value = TemplateValue.null
        for _ in 0..<150 { value = .array([value]) }
        let template = try? ChatTemplate("{{ x }}", name: "deep")
        #expect(throws: ChatTemplateError.self) {
            try template?.render(["x": value], now: TemplateFixtures.now)
        }
    }

    @Test func errorsNameTemplateAndLine() {
        do throws(ChatTemplateError) {
            _ = try ChatTemplate("a\n\n{% if %}", name: "model.jinja")
            Issue.record("The template was accepted.")
        } catch {
            #expect(error.line == 3)
            #expect(error.description.hasPrefix("model.jinja:3: TemplateSyntaxError: "))
        }
        do throws(ChatTemplateError) {
            let template = try ChatTemplate("a\n{{ x.y }}", name: "model.jinja")
            _ = try template.render([:], now: TemplateFixtures.now)
            Issue.record("The template was rendered.")
        } catch {
            #expect(error.description == "model.jinja:2: UndefinedError: 'x' is undefined")
        }
    }
}
