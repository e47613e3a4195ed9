using System.Globalization;
using System.Text;
using Meft.Core.Metrics;
using Meft.Training.Samples;

namespace Meft.Reporting.TensorBoard;

/// <summary>What TensorBoard is told of a run, and under which tags.</summary>
internal static class RunEvents
{
    /// <summary>A step's numbers.</summary>
    public static IEnumerable<(string Tag, double Value)> Of(StepMetrics step) =>
    [
        ("loss/train", step.Loss),
        ("loss/validation", step.ValidationLoss),
        ("optimizer/learning_rate", step.LearningRate),
        ("optimizer/grad_norm", step.GradNorm),
        ("speed/tokens_per_second", step.TokensPerSecond),
        ("speed/seconds_per_step", step.Seconds),
        ("memory/device_bytes_peak", step.DeviceBytesPeak),
        ("memory/host_bytes", step.HostBytes),
        ("link/bytes", step.HostToDeviceBytes + step.DeviceToHostBytes),
        ("adapter/active_rows", step.ActiveRows),
    ];

    /// <summary>A window's numbers: shares of all experts and of all neurons.</summary>
    public static IEnumerable<(string Tag, double Value)> Of(ExpertLoad load) =>
        [("adapter/dead_experts", load.DeadExperts), ("adapter/dead_rows", load.DeadRows)];

    /// <summary>A sample's tag: one for each prompt, so that it can be followed over the steps.</summary>
    public static string TagOf(Sample sample) => string.Create(CultureInfo.InvariantCulture, $"samples/{sample.Index:D3}");

    /// <summary>A sample as Markdown; its texts stand as they are, in blocks of code.</summary>
    public static string Markdown(Sample sample)
    {
        var text = new StringBuilder();
        void Block(string title, string content) => text.Append($"**{title}**\n\n    {content.ReplaceLineEndings("\n    ")}\n\n");
        Block("prompt", sample.Prompt);
        Block("written", sample.Text);
        if (sample.Expected is { } expected) Block("expected", expected);
        if (sample.Base is { } before) Block("by the base", before);
        return text.ToString();
    }
}
