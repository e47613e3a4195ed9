using Meft.Core.Comparisons.Results;

namespace Meft.Demonstration;

/// <summary>What a demonstration found.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Threads">Threads that computed.</param>
/// <param name="Base">The base model.</param>
/// <param name="Comparison">The methods side by side, the base before them.</param>
/// <param name="Samples">How each trained method goes on from the same prompt, in order.</param>
/// <param name="Reading">What the numbers say, in sentences.</param>
/// <param name="Methods">The methods and the teaching, in lines.</param>
/// <param name="Seconds">Time of everything.</param>
public sealed record DemoReport(
    ulong Seed, int Threads, BaseReport Base, ComparisonResult Comparison, IReadOnlyList<Sample> Samples, IReadOnlyList<string> Reading,
    IReadOnlyList<string> Methods, double Seconds);

/// <summary>The base model that was trained from scratch.</summary>
/// <param name="Parameters">Its parameters.</param>
/// <param name="Layers">Its layers.</param>
/// <param name="HiddenSize">D.</param>
/// <param name="Training">How training went.</param>
/// <param name="Sample">How it goes on from the sample's prompt.</param>
public sealed record BaseReport(long Parameters, int Layers, int HiddenSize, TrainingReport Training, Sample Sample);

/// <summary>How a training went and what it cost.</summary>
/// <param name="FirstLoss">Mean loss of the first tenth of the steps, in nats a trained token.</param>
/// <param name="Cost">Bytes, steps, tokens, seconds, the loss of the last tenth.</param>
public sealed record TrainingReport(double FirstLoss, MethodCost Cost);

/// <summary>A prompt and how a model goes on.</summary>
/// <param name="Model">The base alone, or the method that runs beside it.</param>
/// <param name="Prompt">The prompt, about one of the newcomers.</param>
/// <param name="Fact">The fact that is taught: what should follow.</param>
/// <param name="Text">What follows.</param>
public sealed record Sample(string Model, string Prompt, string Fact, string Text);
