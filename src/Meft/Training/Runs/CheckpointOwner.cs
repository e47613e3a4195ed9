using Meft.Core.Errors;

namespace Meft.Training.Runs;

/// <summary>Whose state a checkpoint holds: one of another method, size or base model is refused.</summary>
/// <param name="Method">The method's kind.</param>
/// <param name="Rank">Neurons a layer, or LoRA's r; null for a method without.</param>
/// <param name="Layers">The trained layers.</param>
/// <param name="BaseModel">Where the base model lay; for people, it is not compared.</param>
/// <param name="BaseSha256">SHA-256 over the base model's files.</param>
/// <param name="Seed">The seed that everything random follows from; it is not compared, the run's config is.</param>
public sealed record CheckpointOwner(string Method, int? Rank, IReadOnlyList<int> Layers, string BaseModel, string BaseSha256, long Seed)
{
    /// <summary>Refuses a checkpoint that is another's.</summary>
    /// <param name="now">Who wants to load it.</param>
    /// <param name="checkpoint">The checkpoint's folder.</param>
    /// <exception cref="InvalidInputException">It is; both values are named.</exception>
    internal void RequireSame(CheckpointOwner now, string checkpoint)
    {
        Require("method is", Method, now.Method, checkpoint);
        Require("rank is", Text(Rank), Text(now.Rank), checkpoint);
        Require("layers are", string.Join(", ", Layers), string.Join(", ", now.Layers), checkpoint);
        Require("base model has the SHA-256", BaseSha256, now.BaseSha256, checkpoint, $" ({BaseModel})", $" ({now.BaseModel})");
    }

    private static void Require(string what, string then, string now, string checkpoint, string aboutThen = "", string aboutNow = "")
    {
        if (then == now) return;
        throw new InvalidInputException(
            $"the checkpoint is another run's: its {what} {then}{aboutThen}, this run's {what} {now}{aboutNow}", checkpoint, null,
            "resume the run that it belongs to, or start this one anew in another output");
    }

    private static string Text(int? rank) => rank?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none";
}
