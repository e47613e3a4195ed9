// What the checkpoints of a run took: bytes, seconds of writing, seconds that training waited, and, of those that are still there, seconds to load them.
//
//   meft train CONFIG.yaml --set output=/tmp/run --set max_steps=24 --set checkpoint.every=4 --set checkpoint.keep=3
//   dotnet run -c Release samples/checkpoint-times.cs -- /tmp/run
//
// The run's method must be meft. A file that was written lately is read from memory, not from the disk.
#:project ../src/Meft/Meft.csproj
#:property PublishAot=false

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Meft.Adapters;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.Native;
using Meft.Training;
using Meft.Training.Runs;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not [var run])
{
    Console.Error.WriteLine("error: usage: checkpoint-times.cs RUN.");
    return 2;
}
try
{
    var config = RunConfig.Load(Path.Combine(run, "config.yaml"), []);
    if (config.Method.Kind != MethodKind.Meft) throw new InvalidInputException($"the run's method is {config.Method.Kind}", run, "meft");
    var model = ModelConfigReader.Read(Path.Combine(config.Model, "config.json"));
    var spec = SparseAdapterSpec.From(config.Method, model.HiddenSize, model.LayerCount);
    var identity = new AdapterIdentity(config.Model, BaseFingerprint.Of(model), null);
    NativeTorch.Load();
    using var method = new SparseAdapterMethod(new SparseAdapter(spec), config.Optimizer.Rows, identity, ExecutionKind.Activations);
    var folder = new CheckpointFolder(Path.Combine(run, "checkpoints"), keep: int.MaxValue);

    Console.WriteLine("  step  kind             bytes  written s  waited s  loaded s");
    foreach (var saved in Saved(Path.Combine(run, "metrics.jsonl")).OrderBy(s => s.Key).Select(s => s.Value))
    {
        var step = saved.GetProperty("step").GetInt32();
        var loaded = folder.Steps.Contains(step) ? $"{Seconds(() => folder.Load(step, method)),8:0.00}" : "       –";
        Console.WriteLine(
            $"{step,6}  {saved.GetProperty("kind").GetString(),-11} {saved.GetProperty("bytes").GetInt64(),10}  {Number(saved, "write_seconds")}  {Number(saved, "held_seconds")}  {loaded}");
    }
    return 0;
}
catch (Exception e) when (e is MeftException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 2;
}

// The latest line of a step's checkpoint knows how long writing took; the last one of a run has none, for no step follows.
static Dictionary<int, JsonElement> Saved(string metrics)
{
    var saved = new Dictionary<int, JsonElement>();
    foreach (var line in File.ReadLines(metrics))
    {
        if (JsonDocument.Parse(line).RootElement.TryGetProperty("checkpoint", out var checkpoint)) saved[checkpoint.GetProperty("step").GetInt32()] = checkpoint;
    }
    return saved;
}

static string Number(JsonElement saved, string name) =>
    saved.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? $"{number.GetDouble(),8:0.000}" : "       –";

static double Seconds(Action action)
{
    var began = Stopwatch.GetTimestamp();
    action();
    return Stopwatch.GetElapsedTime(began).TotalSeconds;
}
