using System.Globalization;

namespace Meft.Core.Configuration;

/// <summary>Sizes in bytes as a config writes them: <c>6GiB</c>, <c>512MiB</c>, <c>1.5GB</c>, or a plain number of bytes.</summary>
public static class ByteSize
{
    /// <summary>What a size looks like, for error texts.</summary>
    public const string Allowed = "a size such as 6GiB, 512MiB, 1.5GB or a number of bytes (units B, KB, MB, GB, TB, KiB, MiB, GiB, TiB)";

    private static readonly (string Name, long Bytes)[] Units =
    [
        ("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1),
    ];

    /// <summary>Reads a size; fractions are rounded to whole bytes. False for anything that is no size or does not fit 63 bits.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var number = text.Trim();
        long unit = 1;
        foreach (var (name, size) in Units)
        {
            if (!number.EndsWith(name, StringComparison.OrdinalIgnoreCase)) continue;
            number = number[..^name.Length].TrimEnd();
            unit = size;
            break;
        }
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)) return false;
        if (value > long.MaxValue / unit) return false;
        bytes = (long)decimal.Round(value * unit);
        return true;
    }

    /// <summary>The shortest exact form: the largest binary unit that divides the size, else the number of bytes.</summary>
    public static string Format(long bytes)
    {
        foreach (var (name, size) in Units.Take(4))
        {
            if (bytes > 0 && bytes % size == 0) return (bytes / size).ToString(CultureInfo.InvariantCulture) + name;
        }
        return bytes.ToString(CultureInfo.InvariantCulture);
    }
}
