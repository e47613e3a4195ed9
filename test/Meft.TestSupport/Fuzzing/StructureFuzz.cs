using System.Globalization;

namespace Meft.TestSupport.Fuzzing;

/// <summary>
/// Holds a reader against files that are put together with faults in them, the same ones in every run: what is read must be right, what is
/// not must be refused with a typed error that names the place and is no longer than a paragraph, and neither takes more memory than the
/// file's size explains. <c>MEFT_FUZZ</c> in the environment multiplies the number of cases.
/// </summary>
public static class StructureFuzz
{
    /// <summary>An error is a paragraph, whatever a file holds.</summary>
    private const int MostErrorLength = 4000;

    private static readonly int Factor = int.TryParse(
        Environment.GetEnvironmentVariable("MEFT_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out var factor) ? Math.Max(1, factor) : 1;

    /// <summary>Makes and reads files, each with one to three faults; a quarter of the cases with a single one.</summary>
    /// <typeparam name="T">What a file is made from.</typeparam>
    /// <param name="cases">How many.</param>
    /// <param name="make">Makes something without a fault.</param>
    /// <param name="faults">Faults by name; what is made is changed in place.</param>
    /// <param name="write">Writes the files and gives the number of their bytes.</param>
    /// <param name="read">Reads them and asserts what must hold of what was read.</param>
    /// <param name="isTyped">Whether an exception is one that the reader may throw.</param>
    /// <param name="names">What the error's text must hold.</param>
    /// <param name="bytesPerByte">Managed memory that a byte explains.</param>
    /// <param name="fixedBytes">Managed memory that any file explains.</param>
    /// <returns>By fault, alone in a file: how many were read, and how many refused.</returns>
    public static IReadOnlyDictionary<string, (int Read, int Refused)> Run<T>(
        int cases, Func<Random, T> make, IReadOnlyDictionary<string, Action<T, Random>> faults, Func<T, long> write, Action read,
        Func<Exception, bool> isTyped, string names, long bytesPerByte = 100, long fixedBytes = 1 << 20)
    {
        var all = faults.Keys.Order(StringComparer.Ordinal).ToList();
        var alone = all.ToDictionary(name => name, _ => (Read: 0, Refused: 0));
        write(make(new Random(0)));
        read(); // warms the reader up, so that what it makes once is counted nowhere
        for (var number = 0; number < cases * Factor; number++)
        {
            var random = new Random(number);
            var made = make(random);
            // Every fault has its turn alone; in the other cases several meet.
            List<string> chosen = number % 4 == 0 ? [all[number / 4 % all.Count]] : [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => all[random.Next(all.Count)])];
            foreach (var fault in chosen) faults[fault](made, random);
            var bytes = write(made);
            var (isRead, allocated) = Read(read, isTyped, names, $"case {number}: {string.Join(", ", chosen)}");
            if (allocated > fixedBytes + bytesPerByte * bytes)
                throw new InvalidOperationException($"case {number}, {string.Join(", ", chosen)}: {allocated:N0} bytes allocated for {bytes:N0}");
            if (chosen is not [var only]) continue;
            var (taken, refused) = alone[only];
            alone[only] = isRead ? (taken + 1, refused) : (taken, refused + 1);
        }
        return alone;
    }

    private static (bool IsRead, long Allocated) Read(Action read, Func<Exception, bool> isTyped, string names, string number)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            read();
            return (true, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        catch (Exception e) when (isTyped(e))
        {
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (e.Message.Length > MostErrorLength || !e.Message.Contains(names, StringComparison.Ordinal))
                throw new InvalidOperationException($"{number}: the error does not name {names} or is no paragraph: {e.Message}", e);
            return (false, allocated);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{number}: {e.Message}", e);
        }
    }
}
