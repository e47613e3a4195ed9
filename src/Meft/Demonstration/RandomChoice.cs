using Meft.Generation;

namespace Meft.Demonstration;

/// <summary>Choices among things, drawn from a stream that is the same on every platform.</summary>
internal static class RandomChoice
{
    /// <summary>One of the items, all equally likely.</summary>
    public static T Pick<T>(this RandomStream random, IReadOnlyList<T> items) => items[random.Below(items.Count)];

    /// <summary>The items in a random order (Fisher–Yates).</summary>
    public static T[] Shuffled<T>(this RandomStream random, IEnumerable<T> items)
    {
        T[] order = [.. items];
        for (var i = order.Length - 1; i > 0; i--)
        {
            var j = random.Below(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    private static int Below(this RandomStream random, int count) => (int)(random.NextDouble() * count);
}
