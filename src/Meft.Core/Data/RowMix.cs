using Meft.Core.Errors;

namespace Meft.Core.Data;

/// <summary>
/// Which rows an epoch takes, and how often each. A file of weight 2.5 gives each of its rows twice and a seeded half of them once more; the next epoch's
/// half is the rows that follow in the same seeded order, around and around, so that over any number of epochs every row of a file is taken equally often,
/// give or take one.
/// </summary>
public sealed class RowMix
{
    private readonly IReadOnlyList<Part> _parts;

    private RowMix(IReadOnlyList<Part> parts)
    {
        _parts = parts;
        var count = parts.Sum(p => (double)p.Times * p.Rows.Count + p.Some);
        if (count > Array.MaxLength)
        {
            throw new InvalidInputException(
                $"the weights ask for {count:0} rows an epoch", "data.train", $"at most {Array.MaxLength} rows an epoch", "Lower the weights");
        }
        Count = (int)count;
    }

    /// <summary>Rows an epoch takes.</summary>
    public int Count { get; }

    /// <summary>Whether epochs differ in which rows they take.</summary>
    public bool Varies => _parts.Any(p => p.Some > 0);

    /// <summary>Every row once.</summary>
    public static RowMix Whole(int count) => new([new Part(new FileRows("", 0, count), 1, 0, [])]);

    /// <summary>Rows by the weights of their files.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="weights">The weight of each file, above 0; 1 for one that is not named.</param>
    /// <param name="seed">The run's seed.</param>
    /// <exception cref="InvalidInputException">The weights ask for more rows than can be numbered.</exception>
    public static RowMix Of(ITokenRows rows, IReadOnlyDictionary<string, double> weights, long seed) => weights.Count == 0
        ? Whole(rows.Count)
        : new RowMix([.. rows.Files.Select((file, i) => Part.Of(file, weights.GetValueOrDefault(file.File, 1), seed, i))]);

    /// <summary>The rows of an epoch, in the order of the files.</summary>
    public int[] RowsOf(int epoch)
    {
        var rows = new int[Count];
        var filled = 0;
        foreach (var part in _parts)
        {
            for (var time = 0; time < part.Times; time++)
            {
                for (var i = 0; i < part.Rows.Count; i++) rows[filled++] = part.Rows.First + i;
            }
            var some = rows.AsSpan(filled, part.Some);
            var start = (long)epoch * part.Some;
            for (var i = 0; i < some.Length; i++) some[i] = part.Rows.First + part.Order[(int)((start + i) % part.Rows.Count)];
            some.Sort();
            filled += some.Length;
        }
        return rows;
    }

    /// <param name="Rows">The file's rows.</param>
    /// <param name="Times">How often each is taken.</param>
    /// <param name="Some">How many are taken once more, or once at all.</param>
    /// <param name="Order">The order in which their turns come; empty where there are none.</param>
    private sealed record Part(FileRows Rows, int Times, int Some, int[] Order)
    {
        public static Part Of(FileRows rows, double weight, long seed, int index)
        {
            if (!(weight > 0) || weight > int.MaxValue) throw new ArgumentOutOfRangeException(nameof(weight), weight, "a weight above 0 is needed");
            var times = (int)Math.Floor(weight);
            var some = (int)Math.Round((weight - times) * rows.Count, MidpointRounding.AwayFromZero);
            // A file with a weight is never left out altogether.
            if (times == 0 && some == 0) some = 1;
            if (some == rows.Count) (times, some) = (times + 1, 0);
            // Epochs' own orders have numbers from 0.
            return new Part(rows, times, some, some == 0 ? [] : SeededPermutation.Of(rows.Count, seed, -1 - index));
        }
    }
}
