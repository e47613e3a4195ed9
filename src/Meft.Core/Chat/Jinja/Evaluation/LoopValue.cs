using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>The variable <c>loop</c> inside of a for loop.</summary>
/// <param name="items">What the loop goes through.</param>
/// <param name="depth">How many recursive calls of the loop stand around this one.</param>
/// <param name="recurse">Runs the loop's body on other items; null for a loop that is not recursive.</param>
internal sealed class LoopValue(IReadOnlyList<Value> items, int depth, Func<Value, Value>? recurse) : Value
{
    private Value? _lastChanged;

    /// <summary>The number of the current item, from 0.</summary>
    public int Index { get; set; }

    public override string TypeName => "LoopContext";

    /// <summary>Runs a recursive loop on other items.</summary>
    public Value Recurse(Value inner) => recurse is null
        ? throw new JinjaException("The loop must have the 'recursive' marker to be called recursively.")
        : recurse(inner);

    public override Value? Member(string name) => name switch
    {
        "index" => new IntegerValue(Index + 1),
        "index0" => new IntegerValue(Index),
        "revindex" => new IntegerValue(items.Count - Index),
        "revindex0" => new IntegerValue(items.Count - Index - 1),
        "first" => Of(Index == 0),
        "last" => Of(Index == items.Count - 1),
        "length" => new IntegerValue(items.Count),
        "depth" => new IntegerValue(depth + 1),
        "depth0" => new IntegerValue(depth),
        "previtem" => Index > 0 ? items[Index - 1] : new UndefinedValue("there is no previous item"),
        "nextitem" => Index < items.Count - 1 ? items[Index + 1] : new UndefinedValue("there is no next item"),
        "cycle" => new FunctionValue(name, call => call.Positional.Count == 0
            ? throw new JinjaException("no items for cycling given")
            : call.Positional[Index % call.Positional.Count]),
        "changed" => new FunctionValue(name, call => Of(HasChanged(new ListValue(call.Positional, isTuple: true)))),
        _ => null,
    };

    private bool HasChanged(Value current)
    {
        var hasChanged = _lastChanged is null || !ValueComparer.AreEqual(_lastChanged, current);
        _lastChanged = current;
        return hasChanged;
    }
}
