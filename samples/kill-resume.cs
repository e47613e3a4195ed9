// Kills a training run with SIGKILL again and again, resumes it each time, and compares what comes out with a run that was left alone.
//
//   dotnet run samples/kill-resume.cs -- CONFIG.yaml FOLDER [KILLS] [SEED] [MEFT ARGUMENTS…]
//   dotnet run samples/kill-resume.cs -- configs/stories260K.yaml /tmp/kills 50 1 --set max_steps=200 --set checkpoint.every=2
//
// The moments are drawn from the seed: a number of events of the file system in the run's folder (a save makes a dozen, a step one or two), after
// which the process is killed at once. Nothing is told to the process. MEFT names the program; without it, ./meft of this checkout is used.
#:property PublishAot=false

using System.Diagnostics;
using System.Security.Cryptography;

if (args.Length < 2 || !File.Exists(args[0]))
{
    Console.Error.WriteLine("error: usage: kill-resume.cs CONFIG.yaml FOLDER [KILLS] [SEED] [MEFT ARGUMENTS…].");
    return 2;
}
var numbers = args.Skip(2).TakeWhile(a => int.TryParse(a, out _)).Select(int.Parse).Take(2).ToArray();
var (config, folder) = (args[0], Path.GetFullPath(args[1]));
var (kills, seed) = (numbers.ElementAtOrDefault(0) is > 0 and var k ? k : 50, numbers.ElementAtOrDefault(1));
string[] more = [.. args.Skip(2 + numbers.Length)];
if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
{
    Console.Error.WriteLine($"error: {folder}: the folder exists and is not empty. Name another.");
    return 2;
}
string straight = Path.Combine(folder, "straight"), killed = Path.Combine(folder, "killed");
Directory.CreateDirectory(folder);
var random = new Random(seed);
int inSave = 0, beforeStart = 0, done = 0, lastPrinted = 0;

Console.WriteLine($"a run that is left alone: {straight}");
using (var process = Start(straight, resume: false))
{
    if (Finish(process) is var code and not 0) return Fail($"it ended with exit code {code}");
}

Console.WriteLine($"the same run, killed {kills} times: {killed}");
while (done < kills)
{
    var events = random.Next(1, 120);
    using var process = Start(killed, resume: File.Exists(Path.Combine(killed, "config.yaml")));
    using var watcher = new FileSystemWatcher(folder) { IncludeSubdirectories = true, InternalBufferSize = 1 << 16 };
    var left = events;
    void Count(object sender, FileSystemEventArgs e)
    {
        if (e.FullPath.StartsWith(killed, StringComparison.Ordinal) && Interlocked.Decrement(ref left) == 0) process.Kill();
    }
    watcher.Created += Count;
    watcher.Changed += Count;
    watcher.Deleted += Count;
    watcher.Renamed += Count;
    watcher.EnableRaisingEvents = true;
    var code = Finish(process);
    if (code == 0) return Fail($"it was done after {done} kills: give it more steps, or checkpoints less often");
    if (code != 128 + 9) return Fail($"it ended with exit code {code} where a kill (137) was expected");
    done++;
    if (!File.Exists(Path.Combine(killed, "config.yaml"))) beforeStart++;
    else if (IsHalfSaved()) inSave++;
    if (done - lastPrinted < 10 && done != kills) continue;
    lastPrinted = done;
    Console.WriteLine($"{done} kills, {inSave} of them within a save; steps so far: {Steps(killed)}");
}

Console.WriteLine("resumed once more, to the end");
using (var process = Start(killed, resume: true))
{
    if (Finish(process) is var code and not 0) return Fail($"it ended with exit code {code}");
}

var (wanted, found) = (Hash(straight), Hash(killed));
var leftovers = Directory.EnumerateFiles(killed, "*.tmp", SearchOption.AllDirectories).Count();
Console.WriteLine();
Console.WriteLine($"kills               {done}: {inSave} within a save, {beforeStart} before the run's folder was complete");
Console.WriteLine($"steps               {Steps(straight)} straight, {Steps(killed)} killed and resumed");
Console.WriteLine($"result, straight    {wanted}");
Console.WriteLine($"result, killed      {found}");
Console.WriteLine($"half-written files  {leftovers} left");
Console.WriteLine(wanted == found && leftovers == 0 ? "the same bits" : "DIFFERENT");
return wanted == found && leftovers == 0 ? 0 : 1;

Process Start(string output, bool resume)
{
    var program = Environment.GetEnvironmentVariable("MEFT") is { Length: > 0 } named ? named : "./meft";
    var start = program.EndsWith(".dll", StringComparison.Ordinal) ? new ProcessStartInfo("dotnet") { ArgumentList = { program } } : new ProcessStartInfo(program);
    foreach (var argument in new[] { "train", config, "--set", $"output={output}" }.Concat(resume ? ["--resume"] : []).Concat(more)) start.ArgumentList.Add(argument);
    start.RedirectStandardError = start.RedirectStandardOutput = true;
    return Process.Start(start)!;
}

// Reads what it writes, waits for its end, and shows what it wrote where that was neither a success nor our kill.
int Finish(Process process)
{
    var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
    process.WaitForExit();
    Task.WaitAll(output, error);
    if (process.ExitCode is not (0 or 128 + 9)) Console.Error.Write(error.Result);
    return process.ExitCode;
}

bool IsHalfSaved()
{
    var checkpoints = Path.Combine(killed, "checkpoints");
    return Directory.Exists(checkpoints)
        && (Directory.EnumerateFiles(checkpoints, "*.tmp", SearchOption.AllDirectories).Any()
            || Directory.EnumerateDirectories(checkpoints).Any(c => !File.Exists(Path.Combine(c, "manifest.json"))));
}

int Steps(string run) => File.Exists(Path.Combine(run, "metrics.jsonl")) ? File.ReadLines(Path.Combine(run, "metrics.jsonl")).Count() : 0;

string Hash(string run)
{
    var file = Path.Combine(run, "adapter", "adapter_model.safetensors");
    if (!File.Exists(file)) file = Path.Combine(run, "model", "model.safetensors");
    return File.Exists(file) ? Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))) : "(no result)";
}

int Fail(string why)
{
    Console.Error.WriteLine($"error: {why}.");
    return 1;
}
