namespace Meft.Demonstration;

/// <summary>What a demonstration found.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Threads">Threads that computed.</param>
/// <param name="TaughtFacts">New facts.</param>
/// <param name="Base">The base model.</param>
/// <param name="Methods">What each method made of it.</param>
/// <param name="Seconds">Time of everything.</param>
public sealed record DemoReport(
    ulong Seed, int Threads, int TaughtFacts, BaseReport Base, IReadOnlyList<MethodReport> Methods, double Seconds);

/// <summary>The base model that was trained from scratch.</summary>
/// <param name="Parameters">Its parameters.</param>
/// <param name="Layers">Its layers.</param>
/// <param name="HiddenSize">D.</param>
/// <param name="Training">How training went.</param>
/// <param name="Knowledge">What it knows.</param>
/// <param name="Sample">How it goes on from the sample's prompt.</param>
public sealed record BaseReport(
    long Parameters, int Layers, int HiddenSize, TrainingReport Training, Knowledge Knowledge, Sample Sample);

/// <summary>One method, taught the new facts.</summary>
/// <param name="Name">As in a config's <c>method.kind</c>.</param>
/// <param name="Description">Its sizes and what a step reads, in words.</param>
/// <param name="Parameters">Its trained parameters.</param>
/// <param name="Training">How training went.</param>
/// <param name="Knowledge">What base and method together know.</param>
/// <param name="Sample">How they go on from the sample's prompt.</param>
public sealed record MethodReport(
    string Name, string Description, long Parameters, TrainingReport Training, Knowledge Knowledge, Sample Sample);

/// <summary>How a training went and what it cost.</summary>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="Tokens">Tokens read.</param>
/// <param name="FirstLoss">Mean loss of the first tenth of the steps, in nats a trained token.</param>
/// <param name="LastLoss">Mean loss of the last tenth.</param>
/// <param name="Seconds">Time of all steps.</param>
/// <param name="SecondsPerStep">Median time of a step.</param>
/// <param name="DeviceBytesPeak">The most bytes that the ledger counted on the device.</param>
/// <param name="HostBytes">Bytes of host memory for trained parameters, moments and gradients.</param>
/// <param name="ActiveRows">Share of rows that a step activated, mean over layers and steps; null for methods without rows.</param>
public sealed record TrainingReport(
    int Steps, long Tokens, double FirstLoss, double LastLoss, double Seconds, double SecondsPerStep, long DeviceBytesPeak, long HostBytes,
    double? ActiveRows);

/// <summary>What a model knows. Recall is the share of facts whose greedy answer is the fact, word for word.</summary>
/// <param name="NewFacts">Recall of the new facts, in the sentences that are trained.</param>
/// <param name="Paraphrases">Recall of the new facts in other sentences, none of which is trained.</param>
/// <param name="OldFacts">Recall of what the base's text tells.</param>
/// <param name="OldTextLoss">Mean loss on stories that were never trained on, in nats a token.</param>
public sealed record Knowledge(double NewFacts, double Paraphrases, double OldFacts, double OldTextLoss);

/// <summary>A prompt and how a model goes on.</summary>
/// <param name="Prompt">The prompt, about one of the newcomers.</param>
/// <param name="Fact">The fact that is taught: what should follow.</param>
/// <param name="Text">What follows.</param>
public sealed record Sample(string Prompt, string Fact, string Text);
