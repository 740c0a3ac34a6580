using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Weft.Proxy.Http;
using Weft.Proxy.Http2.Hpack;

namespace Weft.Proxy.Tests.Http2.Hpack;

public sealed class HpackEncoderTests
{
    private readonly HpackEncoder _encoder = new();
    private readonly HpackDecoder _decoder = new();

    [Fact]
    public void What_repeats_costs_one_byte_from_the_third_time_on()
    {
        var lengths = Enumerable.Range(0, 4).Select(_ => Encode(("x-team", "payments")).Length).ToArray();
        Assert.True(lengths[1] > 4);
        Assert.Equal([1, 1], lengths[2..]);
    }

    [Fact]
    public void What_differs_each_time_never_comes_into_the_table()
    {
        for (var i = 0; i < 1000; i++)
            Assert.Equal([$"x-request-id: {i}"], FieldRecorder.Decode(_decoder, Encode(("x-request-id", $"{i}"))));
        Assert.Equal(0, _encoder.TableSize);
    }

    [Theory]
    [InlineData("authorization", "Bearer abcdefghijklmnopqrstuvwxyz")]
    [InlineData("proxy-authorization", "Basic eDp5")]
    [InlineData("set-cookie", "session=0123456789012345678901234567890123456789")]
    [InlineData("cookie", "short=1")]
    public void Secrets_are_never_indexed(string name, string value)
    {
        for (var i = 0; i < 5; i++)
            Assert.Equal([$"!{name}: {value}"], FieldRecorder.Decode(_decoder, Encode((name, value))));
        Assert.Equal(0, _encoder.TableSize);
    }

    [Fact]
    public void Section_6_2_3_what_came_never_indexed_goes_on_so()
    {
        var block = new byte[100];
        for (var i = 0; i < 3; i++)
        {
            var length = _encoder.Field(block, "x-key"u8, "secret"u8, KnownHeader.None, neverIndexed: true);
            Assert.Equal(["!x-key: secret"], FieldRecorder.Decode(_decoder, block[..length]));
        }
    }

    [Fact]
    public void Section_4_2_a_smaller_table_is_announced_first_the_smallest_and_the_last()
    {
        Encode(("a", "b"));
        Encode(("a", "b"));
        _encoder.SetLimit(0);
        _encoder.SetLimit(100);
        var block = Encode(("a", "b"));
        Assert.Equal([0x20, 0x3F, 0x45], block[..3]);
        Assert.True(_encoder.TableSize <= 100);
    }

    [Fact]
    public void A_table_of_no_size_is_not_used()
    {
        _encoder.SetLimit(0);
        for (var i = 0; i < 5; i++)
            Assert.Equal(["x-team: payments"], FieldRecorder.Decode(_decoder, Encode(("x-team", "payments"))));
        Assert.Equal(0, _decoder.TableSize);
    }

    [Fact]
    public void Random_lists_come_back_as_they_were_and_the_tables_stay_equal()
    {
        var text = Gen.Choose(0, 255).Select(c => (char)c).ArrayOf().Select(chars => new string(chars));
        var name = Gen.OneOf(Gen.Elements("cookie", "date", "accept-encoding", "x-a", "x-b", "user-agent", "authorization"), Gen.Choose('a', 'z').Select(c => (char)c).NonEmptyListOf().Select(c => new string([.. c])));
        var value = Gen.OneOf(text, Gen.Elements("1", "gzip, deflate", "a long value that comes again and again", new string('x', 900)));
        var lists = Gen.Zip(name, value).ArrayOf();
        Prop.ForAll(lists.ArrayOf().ToArbitrary(), all =>
        {
            var (encoder, decoder) = (new HpackEncoder(), new HpackDecoder());
            foreach (var (list, index) in all.Select((list, index) => (list, index)))
            {
                if (index % 7 == 3)
                    encoder.SetLimit(index * 37);
                var decoded = FieldRecorder.Decode(decoder, Encode(encoder, list));
                Assert.Equal(list.Select(field => $"{field.Item1}: {field.Item2}"), decoded.Select(field => field.TrimStart('!')));
                Assert.Equal(encoder.TableSize, decoder.TableSize);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Every_byte_survives_the_Huffman_code()
    {
        var all = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        for (var length = 0; length <= 256; length++)
        {
            var encoded = new byte[HuffmanCode.EncodedLength(all.AsSpan(0, length))];
            Assert.Equal(encoded.Length, HuffmanCode.Encode(all.AsSpan(0, length), encoded));
            var decoded = new byte[HuffmanCode.LongestDecoded(encoded.Length)];
            Assert.Equal(length, HuffmanCode.Decode(encoded, decoded));
            Assert.Equal(all[..length], decoded[..length]);
        }
    }

    private byte[] Encode(params (string Name, string Value)[] fields) => Encode(_encoder, fields);

    private static byte[] Encode(HpackEncoder encoder, (string Name, string Value)[] fields)
    {
        var block = new byte[16 + fields.Sum(field => HpackEncoder.LongestField(field.Name.Length, field.Value.Length))];
        var at = encoder.Begin(block);
        foreach (var (name, value) in fields)
            at += encoder.Field(block.AsSpan(at), Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value), KnownHeaders.Find(Encoding.Latin1.GetBytes(name)), false);
        return block[..at];
    }
}
