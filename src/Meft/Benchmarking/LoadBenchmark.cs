using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Machine;
using Meft.Loading;
using Meft.Native;

namespace Meft.Benchmarking;

/// <summary>What to time loading with.</summary>
public sealed record LoadBenchmarkOptions
{
    /// <summary>Where the model is loaded to.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The type of its numbers.</summary>
    public BaseDType DType { get; init; } = BaseDType.Auto;

    /// <summary>How the layers' weights are held: a figure for each.</summary>
    public IReadOnlyList<Quantization> Quantize { get; init; } = [Quantization.None];

    /// <summary>Whether the system forgets the files before each round; else they are in its memory.</summary>
    public bool Cold { get; init; }

    /// <summary>Warm-up and repeats.</summary>
    public BenchmarkRounds Rounds { get; init; } = new(1, 5);
}

/// <summary>Loading a model in one form.</summary>
/// <param name="Base">How the layers' weights are held.</param>
/// <param name="Type">The type of its numbers.</param>
/// <param name="Seconds">Median, from the path to the model.</param>
/// <param name="ReadSeconds">Median of reading the same files from beginning to end and doing nothing with them.</param>
/// <param name="FileBytes">Bytes of the files.</param>
/// <param name="WeightBytes">Bytes of the weights as they are held.</param>
/// <param name="LargestTensorBytes">Bytes of the largest of them.</param>
/// <param name="PeakAnonymousBytes">
/// The most memory of its own that the process had taken in addition while it loaded, looked at each time some megabytes were read; null where the system does not say.
/// </param>
/// <param name="PeakResidentBytes">The most that was resident in addition, pages of the mapped files included, as the system has counted it.</param>
public sealed record LoadFigure(
    string Base, string Type, double Seconds, double ReadSeconds, long FileBytes, long WeightBytes, long LargestTensorBytes, long? PeakAnonymousBytes,
    long? PeakResidentBytes);

/// <summary>Times loading beside reading the same files, in turn, and sees how much memory it takes.</summary>
public static class LoadBenchmark
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Times all forms.</summary>
    /// <param name="model">A Hugging Face folder or a .gguf file.</param>
    /// <param name="options">Forms and rounds.</param>
    /// <param name="progress">Is told what comes next; null for nobody.</param>
    /// <param name="cancellation">Stops loading.</param>
    /// <exception cref="InvalidInputException">The model cannot be loaded; or the system cannot be asked to forget files.</exception>
    public static IReadOnlyList<LoadFigure> Run(
        string model, LoadBenchmarkOptions options, Action<string>? progress = null, CancellationToken cancellation = default)
    {
        NativeTorch.Load();
        var files = ModelWeights.Files(ModelLocation.Find(model).WeightsPath);
        if (options.Cold && !files.All(PageCache.TryDrop))
            throw new InvalidInputException("this system cannot be asked to forget files that it keeps in memory", "--cold", null, "measure without it");
        var figures = new List<LoadFigure>();
        foreach (var form in options.Quantize)
        {
            var load = new ModelLoadOptions { Device = options.Device, DType = options.DType, Quantize = form };
            List<double> reading = [], loading = [];
            for (var round = 0; round < options.Rounds.WarmUp + options.Rounds.Repeats; round++)
            {
                progress?.Invoke($"{ChoiceName.Of(form)}, round {round + 1} of {options.Rounds.WarmUp + options.Rounds.Repeats}");
                Prepare(files, options.Cold);
                var read = BenchmarkTimer.Seconds(() => Read(files));
                Prepare(files, options.Cold);
                var loaded = BenchmarkTimer.Seconds(() => LoadedModel.Load(model, load, cancellation).Dispose());
                if (round < options.Rounds.WarmUp) continue;
                reading.Add(read);
                loading.Add(loaded);
            }
            // Looking at the memory takes time: this round is not timed.
            Prepare(files, options.Cold);
            var figure = Weigh(model, load, cancellation);
            figures.Add(figure with
            {
                Seconds = BenchmarkTimer.Median(loading),
                ReadSeconds = BenchmarkTimer.Median(reading),
                FileBytes = files.Sum(file => new FileInfo(file).Length),
            });
        }
        return figures;
    }

    private static LoadFigure Weigh(string model, ModelLoadOptions load, CancellationToken cancellation)
    {
        var before = ProcessMemory.Use();
        var counted = ProcessMemory.TryResetPeak();
        long most = 0;
        void Look(LoadProgress progress) => most = Math.Max(most, ProcessMemory.Use()?.Anonymous ?? 0);
        using var loaded = LoadedModel.Load(model, load with { Progress = Look }, cancellation);
        long? resident = counted ? ProcessMemory.PeakResidentBytes() - before!.Value.Resident : null;
        var bytes = loaded.Decoder.Parameters.Values.Select(TensorMemory.ByteCount).ToList();
        return new LoadFigure(
            ChoiceName.Of(load.Quantize), loaded.Decoder.DataType.ToString().ToLowerInvariant(), 0, 0, 0, bytes.Sum(), bytes.Max(),
            before is { } use ? most - use.Anonymous : null, resident);
    }

    /// <summary>Every round takes its memory anew, and nothing of an earlier one is collected meanwhile.</summary>
    private static void Prepare(IReadOnlyList<string> files, bool cold)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        HostHeap.Release();
        if (!cold) return;
        foreach (var file in files) PageCache.TryDrop(file);
    }

    private static void Read(IReadOnlyList<string> files)
    {
        var buffer = new byte[BufferBytes];
        foreach (var path in files)
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
            while (file.Read(buffer) > 0) { }
        }
    }
}
