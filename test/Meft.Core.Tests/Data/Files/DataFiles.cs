using System.Text;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.TestSupport;

namespace Meft.Core.Tests.Data.Files;

/// <summary>A folder of data files to read.</summary>
public abstract class DataFiles : IDisposable
{
    protected TemporaryFolder Folder { get; } = new();

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    protected string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    protected string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(Folder.File(name), bytes);
        return Folder.File(name);
    }

    /// <summary>All rows; one that cannot be read is an <see cref="UnreadableRow"/>.</summary>
    protected static List<RawRow> Read(string path, RowFormat format = RowFormat.Auto) => [.. RowFile.Examine(path, format, new LetterTokenizer(), 512)];

    /// <summary>Why a row cannot be read.</summary>
    protected static RowException ErrorOf(RawRow row) => ((UnreadableRow)row).Error;
}
