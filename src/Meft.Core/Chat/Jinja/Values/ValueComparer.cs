using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Meft.Core.Chat.Jinja.Values;

/// <summary>
/// Equality and order of values as in Python: numbers by their amount whatever their type, texts by code point, lists item by item.
/// </summary>
internal sealed class ValueComparer : IEqualityComparer<Value>
{
    public static readonly ValueComparer Instance = new();

    private ValueComparer()
    {
    }

    public bool Equals(Value? x, Value? y) => AreEqual(x!, y!);

    public int GetHashCode(Value value) => value switch
    {
        NumberValue number => number.AsDouble.GetHashCode(),
        TextValue text => text.Text.GetHashCode(StringComparison.Ordinal),
        NoneValue => 0,
        ListValue { IsTuple: true } tuple => tuple.Items.Aggregate(17, (hash, item) => HashCode.Combine(hash, GetHashCode(item))),
        ListValue or MapValue => throw new JinjaException($"unhashable type: '{value.TypeName}'"),
        _ => RuntimeHelpers.GetHashCode(value),
    };

    public static bool AreEqual(Value left, Value right)
    {
        TemplateLimitException.ThrowIfTooDeep();
        return (left, right) switch
        {
            (IntegerValue a, IntegerValue b) => a.Value == b.Value,
            (NumberValue a, NumberValue b) => a.AsDouble == b.AsDouble,
            (TextValue a, TextValue b) => a.Text == b.Text,
            (UndefinedValue, UndefinedValue) => true,
            (ListValue a, ListValue b) => a.IsTuple == b.IsTuple && AreEqual(a.Items, b.Items),
            (MapValue a, MapValue b) => a.Members.Count == b.Members.Count
                && a.Members.All(member => b.Item(member.Key) is { } other && AreEqual(member.Value, other)),
            _ => ReferenceEquals(left, right),
        };
    }

    /// <summary>Which of two values comes first.</summary>
    /// <exception cref="JinjaException">They have no order.</exception>
    public static int Compare(Value left, Value right, string comparison = "<")
    {
        TemplateLimitException.ThrowIfTooDeep();
        return (left, right) switch
        {
            (UndefinedValue undefined, _) => throw undefined.Error(),
            (_, UndefinedValue undefined) => throw undefined.Error(),
            (IntegerValue a, IntegerValue b) => a.Value.CompareTo(b.Value),
            (NumberValue a, NumberValue b) => a.AsDouble.CompareTo(b.AsDouble),
            (TextValue a, TextValue b) => CompareCodePoints(a.Text, b.Text),
            (ListValue a, ListValue b) when a.IsTuple == b.IsTuple => Compare(a.Items, b.Items, comparison),
            _ => throw new JinjaException(
                $"'{comparison}' not supported between instances of '{left.TypeName}' and '{right.TypeName}'"),
        };
    }

    /// <summary>Items in the order of their keys, stably.</summary>
    /// <param name="items">The items.</param>
    /// <param name="key">What an item is compared by.</param>
    /// <param name="reverse">Whether the largest comes first.</param>
    /// <param name="onCompare">Called before each comparison.</param>
    /// <exception cref="JinjaException">Two keys have no order.</exception>
    public static List<T> Sort<T>(IEnumerable<T> items, Func<T, Value> key, bool reverse = false, Action<Value>? onCompare = null)
    {
        var order = Comparer<Value>.Create((left, right) =>
        {
            onCompare?.Invoke(left);
            return Compare(left, right);
        });
        try
        {
            return [.. reverse ? items.OrderByDescending(key, order) : items.OrderBy(key, order)];
        }
        catch (InvalidOperationException error) when (error.InnerException is JinjaException cause)
        {
            ExceptionDispatchInfo.Throw(cause);
            throw;
        }
    }

    private static bool AreEqual(IReadOnlyList<Value> left, IReadOnlyList<Value> right)
    {
        if (ReferenceEquals(left, right)) return true;
        if (left.Count != right.Count) return false;
        for (var i = 0; i < left.Count; i++)
        {
            if (!AreEqual(left[i], right[i])) return false;
        }
        return true;
    }

    private static int Compare(IReadOnlyList<Value> left, IReadOnlyList<Value> right, string comparison)
    {
        for (var i = 0; i < Math.Min(left.Count, right.Count); i++)
        {
            if (!AreEqual(left[i], right[i])) return Compare(left[i], right[i], comparison);
        }
        return left.Count.CompareTo(right.Count);
    }

    private static int CompareCodePoints(string left, string right)
    {
        var shared = left.AsSpan().CommonPrefixLength(right);
        if (shared == Math.Min(left.Length, right.Length)) return left.Length.CompareTo(right.Length);
        var (a, b) = (left[shared], right[shared]);
        // A surrogate stands for a code point above all others, although its number is below U+E000.
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : char.IsSurrogate(a) ? 1 : -1;
    }
}
