using System.Globalization;
using System.Reflection;

namespace Meft.Core.Tokenization.Normalization;

/// <summary>
/// Canonical decompositions and combining classes of Unicode. .NET leaves text unnormalized where globalization is invariant, as it is
/// here (so that no ICU is needed), hence tables of our own.
/// </summary>
internal sealed class CanonicalData
{
    private static readonly Lazy<CanonicalData> Loaded = new(Load);

    private readonly Dictionary<int, int[]> _decompositions = [];
    private readonly Dictionary<(int First, int Second), int> _compositions = [];
    private readonly Dictionary<int, byte> _combiningClasses = [];

    /// <summary>The tables, read at first use.</summary>
    public static CanonicalData Instance => Loaded.Value;

    /// <summary>The one or two code points that a code point decomposes into in one step, empty for none.</summary>
    public ReadOnlySpan<int> Decompose(int codePoint) => _decompositions.GetValueOrDefault(codePoint);

    /// <summary>The code point that two compose to, or null.</summary>
    public int? Compose(int first, int second) => _compositions.TryGetValue((first, second), out var composed) ? composed : null;

    /// <summary>The canonical combining class; 0 for a starter.</summary>
    public int CombiningClass(int codePoint) => _combiningClasses.GetValueOrDefault(codePoint);

    private static CanonicalData Load()
    {
        var data = new CanonicalData();
        var name = $"{typeof(CanonicalData).FullName}.txt";
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#')) data.Add(line.Split(' '));
        }
        return data;
    }

    private void Add(string[] fields)
    {
        var codePoints = fields[1..].Select(field => int.Parse(field, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
        if (fields[0] == "C")
        {
            var combiningClass = byte.Parse(fields[3], CultureInfo.InvariantCulture);
            for (var codePoint = codePoints[0]; codePoint <= codePoints[1]; codePoint++) _combiningClasses[codePoint] = combiningClass;
            return;
        }
        _decompositions[codePoints[0]] = codePoints[1..];
        if (fields[0] == "D") _compositions[(codePoints[1], codePoints[2])] = codePoints[0];
    }
}
