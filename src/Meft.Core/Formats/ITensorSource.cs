namespace Meft.Core.Formats;

/// <summary>
/// Named tensors that wait on disk: one file or several. Tensors may be read from several threads at once.
/// </summary>
public interface ITensorSource : IDisposable
{
    /// <summary>The file, or the folder of the files.</summary>
    string Path { get; }

    /// <summary>The tensors by name, in the order in which they lie: file by file, and by their offsets.</summary>
    IReadOnlyDictionary<string, TensorEntry> Tensors { get; }

    /// <summary>Tensors that have a place in no model of the file's kind, by their names in the file; they are not among <see cref="Tensors"/>.</summary>
    IReadOnlyList<string> Unplaced => [];

    /// <summary>What the file calls a tensor, be it there or not.</summary>
    /// <param name="name">Its Hugging Face name.</param>
    string NameInFile(string name) => name;

    /// <summary>Copies a tensor's data, as they are typed by its entry, to memory.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="byteLength">The bytes that may be written there; must be the tensor's own length.</param>
    /// <exception cref="TensorNotFoundException">There is no tensor of that name.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length differs from the tensor's.</exception>
    void CopyTo(string name, nint destination, long byteLength);

    /// <summary>
    /// Copies rows of a tensor (see <see cref="TensorEntry.RowLength"/>) to memory, as numbers of a float type (<see cref="FloatCopy"/>). Pages of the
    /// file that are mapped for it are given back, so that a tensor which is read once counts once; what comes next is asked for meanwhile.
    /// </summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="rowCount">How many.</param>
    /// <param name="type">The type of what is written: F64, F32, F16 or BF16.</param>
    /// <param name="destination">Room for the rows in that type.</param>
    /// <exception cref="TensorNotFoundException">There is no tensor of that name.</exception>
    /// <exception cref="Errors.InvalidInputException">The file cannot be read any more.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The tensor has no such rows, or one of the two types is none of the four.</exception>
    void CopyRows(string name, long firstRow, long rowCount, TensorDType type, nint destination);

    /// <summary>A tensor of type F32, F16, BF16 or F64 as float32, flattened in row-major order.</summary>
    /// <exception cref="TensorNotFoundException">There is no tensor of that name.</exception>
    /// <exception cref="Errors.InvalidInputException">The tensor has another type, or more elements than an array may have.</exception>
    float[] ReadSingles(string name);
}
