using System.Globalization;
using CsCheck;

namespace Meft.TestSupport.Fuzzing;

/// <summary>
/// Holds a reader against changed files: whatever is done to a valid one, it is read or refused with a typed error that names it, without
/// more memory than its size explains. <c>MEFT_FUZZ</c> in the environment multiplies the number of cases.
/// </summary>
public static class ReaderFuzz
{
    /// <summary>A reader that takes longer than this for a file of kilobytes hangs.</summary>
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private static readonly int Factor = int.TryParse(
        Environment.GetEnvironmentVariable("MEFT_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out var factor) ? Math.Max(1, factor) : 1;

    /// <summary>Reads changed files.</summary>
    /// <param name="path">Where they are written.</param>
    /// <param name="valid">Files that are read without complaint.</param>
    /// <param name="read">Reads the path, with everything that follows from it.</param>
    /// <param name="isTyped">Whether an exception is one that the reader may throw.</param>
    /// <param name="names">What the error's text must hold: the file's or its folder's path.</param>
    /// <param name="cases">How many cases.</param>
    /// <param name="bytesPerByte">Managed memory that a byte of the file explains.</param>
    /// <param name="fixedBytes">Managed memory that any file explains.</param>
    /// <param name="refuses">Whether the reader refuses files at all, or makes the best of whatever it is given.</param>
    public static void Run(
        string path, IReadOnlyList<byte[]> valid, Action read, Func<Exception, bool> isTyped, string names, int cases,
        long bytesPerByte = 100, long fixedBytes = 1 << 20, bool refuses = true)
    {
        foreach (var file in valid) // also warms the reader up, so that what it makes once is counted nowhere
        {
            File.WriteAllBytes(path, file);
            read();
        }
        int taken = 0, refused = 0;
        Gen.Select(Gen.Int[0, valid.Count - 1], Mutation.Any.Array[1, 4]).Sample(
            (which, mutations) =>
            {
                var file = mutations.Aggregate(valid[which], (bytes, mutation) => mutation.Apply(bytes));
                File.WriteAllBytes(path, file);
                using var watch = new Timer(_ => Environment.FailFast($"hangs: {string.Join(", ", (object[])mutations)}"), null, Hang, Timeout.InfiniteTimeSpan);
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    read();
                    taken++;
                }
                catch (Exception e) when (isTyped(e))
                {
                    if (!e.Message.Contains(names, StringComparison.Ordinal)) throw new InvalidOperationException($"the error does not name {names}: {e.Message}", e);
                    refused++;
                }
                var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                if (allocated > fixedBytes + bytesPerByte * file.Length)
                    throw new InvalidOperationException($"{allocated:N0} bytes allocated for a file of {file.Length:N0}");
            },
            iter: (long)cases * Factor,
            threads: 1);
        if (refused > 0 != refuses) throw new InvalidOperationException($"the cases say nothing: {taken} were read, {refused} refused");
        if (Factor > 1) Console.Error.WriteLine($"{Path.GetFileName(path)}: {taken} read, {refused} refused");
    }
}
