using System.Text;
using Meft.Reporting.TensorBoard;
using Shouldly;

namespace Meft.Tests.Reporting.TensorBoard;

public class RecordFileTests
{
    /// <summary>RFC 3720, appendix B.4, and the check value of CRC-32C in catalogues of CRCs.</summary>
    [Fact]
    public void The_check_values_are_those_of_the_standard()
    {
        RecordFile.Crc32C(new byte[32]).ShouldBe(0x8A9136AAu);
        RecordFile.Crc32C([.. Enumerable.Repeat((byte)0xFF, 32)]).ShouldBe(0x62A8AB43u);
        RecordFile.Crc32C([.. Enumerable.Range(0, 32).Select(i => (byte)i)]).ShouldBe(0x46DD794Eu);
        RecordFile.Crc32C("123456789"u8).ShouldBe(0xE3069283u);
        RecordFile.Crc32C([]).ShouldBe(0u);
    }

    [Fact]
    public void The_mask_is_a_rotation_and_a_constant()
    {
        const uint Crc = 0xE3069283;
        RecordFile.MaskedCrc("123456789"u8).ShouldBe(unchecked(((Crc >> 15) | (Crc << 17)) + 0xA282EAD8u));
        RecordFile.MaskedCrc([]).ShouldBe(0xA282EAD8u);
    }

    [Fact]
    public void A_record_is_length_check_data_check()
    {
        var data = Encoding.ASCII.GetBytes("123456789");
        var record = RecordFile.Frame(data);
        record.Length.ShouldBe(12 + 9 + 4);
        BitConverter.ToUInt64(record).ShouldBe(9ul);
        BitConverter.ToUInt32(record, 8).ShouldBe(RecordFile.MaskedCrc(record.AsSpan(0, 8)));
        record.AsSpan(12, 9).ToArray().ShouldBe(data);
        BitConverter.ToUInt32(record, 21).ShouldBe(RecordFile.MaskedCrc(data));
    }
}
