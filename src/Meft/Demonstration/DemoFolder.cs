using Meft.Core.Comparisons.Tables;
using Meft.Core.Errors;
using Meft.Core.Storage;
using Meft.Reporting.Comparisons;

namespace Meft.Demonstration;

/// <summary>A demonstration's files: page, pictures, table. An earlier demonstration's are replaced; nothing else in the folder is touched.</summary>
public sealed class DemoFolder
{
    /// <summary>The page.</summary>
    public const string PageFile = "report.html";

    /// <summary>The document that a folder is known by as a demonstration's own.</summary>
    public const string ResultFile = "demo.json";

    private const string TableFile = "table.md", DevicePictureFile = "device.svg", ParameterPictureFile = "parameters.svg";

    private readonly string _path;

    private DemoFolder(string path) => _path = path;

    /// <summary>The page's path.</summary>
    public string Page => Path.Combine(_path, PageFile);

    /// <summary>Sees that files may be written; writes none yet.</summary>
    /// <param name="path">The folder; it need not exist.</param>
    /// <exception cref="InvalidInputException">It is a file, cannot be written, or holds files of these names that no demonstration wrote.</exception>
    public static DemoFolder At(string path)
    {
        const string advice = "name another folder with --output";
        if (File.Exists(path)) throw new InvalidInputException("the output is a file, not a folder", path, "a folder that need not exist yet", advice);
        string[] others = [PageFile, TableFile, DevicePictureFile, ParameterPictureFile];
        if (!File.Exists(Path.Combine(path, ResultFile)) && others.FirstOrDefault(name => File.Exists(Path.Combine(path, name))) is { } taken)
            throw new InvalidInputException($"the output folder holds a {taken} that no demo has written", path, "a new folder, or an earlier demo's", advice);
        WritablePlace.Require(path, "the output folder", advice);
        return new DemoFolder(path);
    }

    /// <summary>Writes the files.</summary>
    /// <param name="report">What was found.</param>
    /// <param name="document">The report as JSON.</param>
    /// <exception cref="RunFailedException">A file cannot be written.</exception>
    public void Write(DemoReport report, string document)
    {
        Directory.CreateDirectory(_path);
        var result = report.Comparison;
        Write(ResultFile, document);
        Write(TableFile, ComparisonMarkdown.Text(result));
        Write(DevicePictureFile, ComparisonPicture.Svg(result, PictureAxis.DeviceBytes));
        Write(ParameterPictureFile, ComparisonPicture.Svg(result, PictureAxis.Parameters));
        Write(PageFile, ComparisonReport.Html(result, string.Join('\n', [.. report.Methods, "", .. report.Reading])));
    }

    private void Write(string name, string text) => AtomicFile.WriteAllText(Path.Combine(_path, name), text);
}
