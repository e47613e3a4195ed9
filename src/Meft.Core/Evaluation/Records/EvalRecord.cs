using Meft.Core.Chat.Jinja.Values;
using Meft.Core.Data;

namespace Meft.Core.Evaluation.Records;

/// <summary>A record of a data file: what a task's templates see.</summary>
/// <param name="Origin">Where it begins.</param>
/// <param name="Fields">Its fields with those of the objects around it; a field hides one of the same name further out.</param>
internal sealed record EvalRecord(RowOrigin Origin, IReadOnlyDictionary<string, Value> Fields);
