using System.Text;
using Weft.Proxy.Http2.Hpack;

namespace Weft.Proxy.Tests.Http2.Hpack;

public sealed class HpackDecoderTests
{
    private static readonly string[] FirstRequest = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
    private static readonly string[] SecondRequest = [.. FirstRequest, "cache-control: no-cache"];
    private static readonly string[] ThirdRequest = [":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"];

    private static readonly string[] FirstResponse = [":status: 302", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT", "location: https://www.example.com"];
    private static readonly string[] SecondResponse = [":status: 307", .. FirstResponse[1..]];
    private static readonly string[] ThirdResponse =
    [
        ":status: 200", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:22 GMT", "location: https://www.example.com", "content-encoding: gzip",
        "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ];

    [Theory]
    [InlineData("400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header", 55)] // C.2.1
    [InlineData("040c2f73616d706c652f70617468", ":path: /sample/path", 0)] // C.2.2
    [InlineData("100870617373776f726406736563726574", "!password: secret", 0)] // C.2.3
    [InlineData("82", ":method: GET", 0)] // C.2.4
    public void The_single_fields_of_appendix_C2(string block, string field, int tableSize)
    {
        var decoder = new HpackDecoder();
        Assert.Equal([field], FieldRecorder.Decode(decoder, Convert.FromHexString(block)));
        Assert.Equal(tableSize, decoder.TableSize);
    }

    [Theory]
    [InlineData("828684410f7777772e6578616d706c652e636f6d", "828684be58086e6f2d6361636865", "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565")] // C.3
    [InlineData("828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf", "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf")] // C.4
    public void The_requests_of_appendix_C3_and_C4(string first, string second, string third)
    {
        var decoder = new HpackDecoder();
        Assert.Equal(FirstRequest, FieldRecorder.Decode(decoder, Convert.FromHexString(first)));
        Assert.Equal(57, decoder.TableSize);
        Assert.Equal(SecondRequest, FieldRecorder.Decode(decoder, Convert.FromHexString(second)));
        Assert.Equal(110, decoder.TableSize);
        Assert.Equal(ThirdRequest, FieldRecorder.Decode(decoder, Convert.FromHexString(third)));
        Assert.Equal(164, decoder.TableSize);
    }

    [Theory]
    [InlineData( // C.5
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31")]
    [InlineData( // C.6
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007")]
    public void The_responses_of_appendix_C5_and_C6_with_evictions(string first, string second, string third)
    {
        // The examples are of a table of 256 bytes, which a size update can set as well as the setting of the examples does.
        var decoder = new HpackDecoder();
        Assert.Equal(FirstResponse, FieldRecorder.Decode(decoder, [0x3F, 0xE1, 0x01, .. Convert.FromHexString(first)]));
        Assert.Equal(222, decoder.TableSize);
        Assert.Equal(SecondResponse, FieldRecorder.Decode(decoder, Convert.FromHexString(second)));
        Assert.Equal(222, decoder.TableSize);
        Assert.Equal(ThirdResponse, FieldRecorder.Decode(decoder, Convert.FromHexString(third)));
        Assert.Equal(215, decoder.TableSize);
    }

    public static TheoryData<string, string> Corrupt => new()
    {
        { "2.3.3: an index beyond both tables", "BE" },
        { "2.3.3: an index beyond both tables, as a name", "7E0161" },
        { "6.1: index 0", "80" },
        { "5.1: an integer that is not whole", "FF" },
        { "5.1: an integer without its last byte", "FF80" },
        { "5.1: an integer above 2^28", "FFFFFFFFFF7F" },
        { "5.1: an integer of too many zeros", "FF808080808000" },
        { "5.2: a text longer than the block", "0005616161" },
        { "5.2: no value", "000161" },
        { "5.2: padding of 8 bits", "000182FFFF" },
        { "5.2: padding of a whole byte after a symbol", "0001610283FFFF" },
        { "5.2: padding that is not ones", "00016181F0".Replace("F0", "00") },
        { "5.2: EOS within a text", "00016184FFFFFFFF" },
        { "5.2: EOS, then more", "00016185FFFFFFFC1F" },
        { "6.3: a table size above the setting", "3FE21F" },
        { "4.2: a size update after a field", "8220" },
    };

    [Theory]
    [MemberData(nameof(Corrupt))]
    public void Errors_of_a_block(string rule, string block)
    {
        Assert.NotEmpty(rule);
        Assert.Equal(DecodeResult.Corrupt, new HpackDecoder().Decode(Convert.FromHexString(block), new FieldRecorder(), 1 << 20));
    }

    [Fact]
    public void Section_4_4_a_field_larger_than_the_table_empties_it()
    {
        var decoder = new HpackDecoder();
        FieldRecorder.Decode(decoder, [0x40, 1, (byte)'a', 1, (byte)'b']);
        Assert.Equal(34, decoder.TableSize);
        var large = new byte[4096];
        large.AsSpan().Fill((byte)'x');
        FieldRecorder.Decode(decoder, [0x40, 1, (byte)'a', 0x7F, 0x81, 0x1F, .. large]);
        Assert.Equal(0, decoder.TableSize);
        Assert.Equal(DecodeResult.Corrupt, decoder.Decode([0xBE], new FieldRecorder(), 1 << 20));
    }

    [Fact]
    public void Section_4_4_a_name_of_an_entry_that_its_own_field_evicts()
    {
        var decoder = new HpackDecoder();
        // Room for one entry; each takes its name from the one that it drives out.
        FieldRecorder.Decode(decoder, [0x3F, 0x09, 0x40, 4, .. "name"u8, 2, .. "v0"u8]); // 40 bytes
        for (var i = 1; i < 400; i++)
        {
            var value = $"{i % 100:00}";
            Assert.Equal([$"name: {value}"], FieldRecorder.Decode(decoder, [0x7E, 2, .. Encoding.ASCII.GetBytes(value)]));
            Assert.Equal([$"name: {value}"], FieldRecorder.Decode(decoder, [0xBE]));
        }
    }

    [Fact]
    public void A_block_of_references_to_one_large_entry_is_given_up_at_the_limit()
    {
        var decoder = new HpackDecoder();
        var value = new byte[4000];
        value.AsSpan().Fill((byte)'x');
        FieldRecorder.Decode(decoder, [0x40, 1, (byte)'a', 0x7F, 0xA1, 0x1E, .. value]);
        var bomb = new byte[16_000];
        bomb.AsSpan().Fill(0xBE);
        var recorder = new FieldRecorder();
        Assert.Equal(DecodeResult.TooMuch, decoder.Decode(bomb, recorder, 64 << 10));
        Assert.InRange(recorder.Fields.Count, 1, 17);
    }

    [Fact]
    public void Each_block_cut_anywhere_is_corrupt_or_shorter_and_never_throws()
    {
        var block = Convert.FromHexString("828684418cf1e3c2e5f23a6ba0ab90f4ff408825a849e95ba97d7f8925a849e95bb8e8b4bf");
        for (var length = 0; length < block.Length; length++)
            Assert.NotEqual(DecodeResult.TooMuch, new HpackDecoder().Decode(block.AsSpan(0, length), new FieldRecorder(), 1 << 20));
    }
}
