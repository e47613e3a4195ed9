namespace Meft.Devices;

/// <summary>A copy that may still be under way.</summary>
public interface ITransfer
{
    /// <summary>Returns when the copy may be used by what the device computes next.</summary>
    void Wait();
}
