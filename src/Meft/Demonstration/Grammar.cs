using System.Text;
using Meft.Generation;

namespace Meft.Demonstration;

/// <summary>A grammar that texts are drawn from: each symbol in braces is replaced by one of its alternatives, until none is left.</summary>
/// <param name="rules">The alternatives of each symbol, all equally likely.</param>
internal sealed class Grammar(IReadOnlyDictionary<string, IReadOnlyList<string>> rules)
{
    /// <summary>Expands a template.</summary>
    /// <param name="template">Text with symbols, for example <c>the {landmark} in {town}</c>.</param>
    /// <param name="bindings">Symbols that stand for one thing throughout the text; they come before the rules.</param>
    /// <param name="random">Makes the choices, from left to right.</param>
    /// <exception cref="KeyNotFoundException">A symbol is neither bound nor has a rule.</exception>
    public string Expand(string template, IReadOnlyDictionary<string, string> bindings, RandomStream random)
    {
        var text = new StringBuilder();
        Expand(template, bindings, random, text);
        return text.ToString();
    }

    private void Expand(string template, IReadOnlyDictionary<string, string> bindings, RandomStream random, StringBuilder text)
    {
        var rest = template.AsSpan();
        while (rest.IndexOf('{') is var open and >= 0)
        {
            var close = rest.IndexOf('}');
            text.Append(rest[..open]);
            var symbol = rest[(open + 1)..close].ToString();
            Expand(bindings.TryGetValue(symbol, out var bound) ? bound : random.Pick(rules[symbol]), bindings, random, text);
            rest = rest[(close + 1)..];
        }
        text.Append(rest);
    }
}
