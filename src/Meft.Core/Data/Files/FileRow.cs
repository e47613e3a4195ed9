using System.Text.Json;

namespace Meft.Core.Data.Files;

/// <summary>A row as a file of any kind gives it: an object of keys and values, or the reason why there is none.</summary>
/// <param name="Origin">Where it stands.</param>
/// <param name="Value">The row; undefined where there is an error.</param>
/// <param name="Error">Why the row cannot be read; null where it can.</param>
internal readonly record struct FileRow(RowOrigin Origin, JsonElement Value, RowException? Error = null)
{
    /// <summary>A row that cannot be read.</summary>
    public static FileRow Bad(RowException error) => new(error.Origin, default, error);
}
