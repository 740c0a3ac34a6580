using System.Numerics;
using Weft.Testing;

namespace Weft.Api.Tests.Schemas;

public sealed class QuantityTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("-0", "0")]
    [InlineData("1", "1")]
    [InlineData("1000", "1k")]
    [InlineData("1500", "1500")]
    [InlineData("1000m", "1")]
    [InlineData("1500m", "1500m")]
    [InlineData("0.5", "500m")]
    [InlineData(".5", "500m")]
    [InlineData("5.", "5")]
    [InlineData("+2", "2")]
    [InlineData("-1.5k", "-1500")]
    [InlineData("100n", "100n")]
    [InlineData("1000n", "1u")]
    [InlineData("0.1u", "100n")]
    [InlineData("1024Ki", "1Mi")]
    [InlineData("1024Mi", "1Gi")]
    [InlineData("1.5Gi", "1536Mi")]
    [InlineData("0.5Ki", "512")]
    [InlineData("1Ki", "1Ki")]
    [InlineData("1025Ki", "1025Ki")]
    [InlineData("128974848", "128974848")]
    [InlineData("129e6", "129e6")]
    [InlineData("1e3", "1e3")]
    [InlineData("1E3", "1e3")]
    [InlineData("15e2", "1500")]
    [InlineData("1e-3", "1e-3")]
    [InlineData("2E", "2E")]
    [InlineData("7Ei", "7Ei")]
    [InlineData("1M", "1M")]
    [InlineData("0.0000000001", "1n")]
    [InlineData("0.00000000011", "1n")]
    [InlineData("-0.0000000001", "-1n")]
    [InlineData("12.0000000001", "12000000001n")]
    public void Text_becomes_its_canonical_form(string text, string canonical) => Assert.Equal(canonical, Quantity.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("1 ")]
    [InlineData("abc")]
    [InlineData("1K")]
    [InlineData("1mi")]
    [InlineData("1.2.3")]
    [InlineData("--1")]
    [InlineData(".")]
    [InlineData("-")]
    [InlineData("1e")]
    [InlineData("1e1.5")]
    [InlineData("1KiB")]
    [InlineData("0x10")]
    [InlineData("1e99999999999")]
    public void What_is_no_quantity_is_refused(string text)
    {
        Assert.False(Quantity.TryParse(text, out _));
        Assert.Throws<FormatException>(() => Quantity.Parse(text));
    }

    [Theory]
    [InlineData("1000E")]
    [InlineData("9223372036854775808")]
    [InlineData("1e300")]
    [InlineData("999999Ei")]
    public void What_is_too_large_is_capped(string text) => Assert.Equal(long.MaxValue, Quantity.Parse(text).Units);

    [Theory]
    [InlineData("1", "1000m")]
    [InlineData("1Gi", "1073741824")]
    [InlineData("1e3", "1k")]
    public void Equal_amounts_are_equal_however_written(string left, string right)
    {
        Assert.Equal(Quantity.Parse(left), Quantity.Parse(right));
        Assert.Equal(Quantity.Parse(left).GetHashCode(), Quantity.Parse(right).GetHashCode());
    }

    [Theory]
    [InlineData("100m", "1", -1)]
    [InlineData("1Gi", "1G", 1)]
    [InlineData("-1", "0", -1)]
    public void Amounts_compare(string left, string right, int sign) => Assert.Equal(sign, Math.Sign(Quantity.Parse(left).CompareTo(Quantity.Parse(right))));

    [Theory]
    [InlineData("0.1", 1, 100)]
    [InlineData("1.0001", 2, 1001)]
    [InlineData("-0.1", -1, -100)]
    [InlineData("2", 2, 2000)]
    public void Whole_and_milli_values_are_rounded_up(string text, long units, long milli)
    {
        Assert.Equal(units, Quantity.Parse(text).Units);
        Assert.Equal(milli, Quantity.Parse(text).Milli);
    }

    [Theory]
    [InlineData("100m", "200m", "300m")]
    [InlineData("1Gi", "512Mi", "1536Mi")]
    [InlineData("0", "1Gi", "1Gi")]
    public void Sums_keep_the_form_of_the_first(string left, string right, string sum)
    {
        Assert.Equal(sum, (Quantity.Parse(left) + Quantity.Parse(right)).ToString());
        Assert.Equal(Quantity.Parse(left), Quantity.Parse(sum) - Quantity.Parse(right));
    }

    [Fact]
    public void The_canonical_form_keeps_the_exact_amount()
    {
        var random = Seeded.Random(20);
        string[] suffixes = ["n", "u", "m", "", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e3", "e-3", "e0"];
        for (var round = 0; round < 5000; round++)
        {
            var text = $"{(random.Next(3) == 0 ? "-" : "")}{random.Next(0, 1_000_000)}{(random.Next(2) == 0 ? $".{random.Next(0, 1000)}" : "")}{suffixes[random.Next(suffixes.Length)]}";
            var amount = Quantity.Parse(text);
            var again = Quantity.Parse(amount.ToString());
            Assert.True(amount == again, $"{text} -> {amount} -> {again}");
            Assert.Equal(amount.ToString(), again.ToString());
            Assert.DoesNotContain('.', amount.ToString());
        }
    }

    [Fact]
    public void Sums_of_many_are_those_of_big_numbers()
    {
        var random = Seeded.Random(21);
        for (var round = 0; round < 200; round++)
        {
            var (sum, exact) = (Quantity.Zero, BigInteger.Zero);
            for (var i = 0; i < 50; i++)
            {
                var milli = random.NextInt64(-1_000_000_000_000, 1_000_000_000_000);
                sum += Quantity.Parse($"{milli}m");
                exact += milli;
            }
            Assert.Equal((long)exact, sum.Milli);
        }
    }
}
