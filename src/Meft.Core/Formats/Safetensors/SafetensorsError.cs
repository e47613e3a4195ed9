namespace Meft.Core.Formats.Safetensors;

/// <summary>Why a safetensors file is refused; the names are those of the reference parser.</summary>
public enum SafetensorsError
{
    /// <summary>The file cannot be opened or read.</summary>
    IoError,

    /// <summary>The file has fewer than the 8 bytes of the header's length.</summary>
    HeaderTooSmall,

    /// <summary>The header claims more than 100,000,000 bytes.</summary>
    HeaderTooLarge,

    /// <summary>The header ends past the end of the file.</summary>
    InvalidHeaderLength,

    /// <summary>The header is not UTF-8.</summary>
    InvalidHeader,

    /// <summary>The header is not JSON of the right form, or names an unknown element type.</summary>
    InvalidHeaderDeserialization,

    /// <summary>A tensor's data do not begin where the data before it end, or end before they begin.</summary>
    InvalidOffset,

    /// <summary>A tensor's offsets disagree with its shape and element type.</summary>
    TensorInvalidInfo,

    /// <summary>A tensor's size overflows.</summary>
    ValidationOverflow,

    /// <summary>A tensor of packed elements does not end at a byte.</summary>
    MisalignedSlice,

    /// <summary>The tensors do not cover the file to its last byte, or go past it.</summary>
    MetadataIncompleteBuffer,
}
