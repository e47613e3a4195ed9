using Meft.Adapters;
using Meft.Core.Planning;
using Meft.Host;
using Meft.Kernels;
using Meft.Memory;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>
/// What a run trains: a sparse adapter, a dense parallel adapter, LoRA, the base itself. The loop sees only this. Between two updates the
/// gradients of all micro-batches add up.
/// </summary>
public interface ITrainedMethod : IDisposable
{
    /// <summary>What runs beside the base; null where the base itself is trained.</summary>
    IDecoderAdapter? Adapter { get; }

    /// <summary>Trained parameters, counted in numbers.</summary>
    long ParameterCount { get; }

    /// <summary>Bytes of host memory: masters, moments, gradients.</summary>
    long HostByteCount { get; }

    /// <summary>Bytes of trained parameters and gradients on the device, beside the base; 0 where all wait on the host.</summary>
    long DeviceByteCount { get; }

    /// <summary>From which size blocks of host memory are mapped by themselves while it trains (<see cref="ProgramMemory.MappedBlockBytesOf"/>).</summary>
    long MappedBlockBytes => ProgramMemory.MappedBlockBytes;

    /// <summary>The share of rows that the latest forward passes activated, mean over layers; NaN for methods without rows.</summary>
    double ActiveRows { get; }

    /// <summary>How training uses experts and rows; null for methods without them.</summary>
    AdapterUsage? Usage => null;

    /// <summary>Every trained parameter with its moments, in a fixed order.</summary>
    IReadOnlyList<TrainedMatrix> Matrices { get; }

    /// <summary>Says where the base computes, and has what is held there and what crosses the link counted from now on.</summary>
    void RunOn(Device device, MemoryLedger ledger);

    /// <summary>
    /// A micro-batch's forward passes begin: until the next one begins, or the step ends with <see cref="ClearGradients"/>, every pass over the
    /// same rows computes the same, one that is repeated in the backward too. A method that draws numbers draws them from these two and its seed.
    /// </summary>
    /// <param name="step">The step, 1 for the first.</param>
    /// <param name="microBatch">The micro-batch within the step, 0 for the first.</param>
    void StartMicroBatch(long step, int microBatch)
    {
        // Most methods compute the same in every step.
    }

    /// <summary>Throws what the backward pass could not; call after each.</summary>
    void ThrowIfBackwardFailed();

    /// <summary>The squared global norm of the step's gradients.</summary>
    double SquaredGradientNorm();

    /// <summary>The names of the matrices whose gradient holds a number that is not finite.</summary>
    IReadOnlyList<string> NonFiniteGradients();

    /// <summary>One AdamW step; gradients stay.</summary>
    void Update(in AdamWStep step);

    /// <summary>The step is over, or begins anew: forgets the gradients.</summary>
    void ClearGradients();

    /// <summary>Makes the loaded masters effective, after <see cref="Matrices"/> were overwritten from a file.</summary>
    void ApplyMasters();

    /// <summary>Writes the result into a new folder.</summary>
    void SaveResult(string folder);
}
