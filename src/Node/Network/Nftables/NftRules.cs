using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Weft.Node.Network.Nftables;

/// <summary>The text of a rule, as the rest of this program writes it, as expressions. Only what it does write is known.</summary>
internal static class NftRules
{
    /// <param name="inline">The set that stands between braces in the rule, made before.</param>
    /// <returns>False: something in it is not known.</returns>
    public static bool TryWrite(NftWords words, NftMessages to, uint inline)
    {
        while (!words.AtEnd)
        {
            if (!TryStatement(ref words, to, inline))
                return false;
        }
        return true;
    }

    private static bool TryStatement(ref NftWords words, NftMessages to, uint inline)
    {
        const uint LocalRoute = 2;   // RTN_LOCAL
        switch (words.Next())
        {
            case "return":
                to.Verdict(NftExpressions.Return, null);
                return true;
            case "drop":
                to.Verdict(NftExpressions.Drop, null);
                return true;
            case "accept":
                to.Verdict(NftExpressions.Accept, null);
                return true;
            case "goto":
                to.Verdict(NftExpressions.Goto, words.Next());
                return true;
            case "jump":
                to.Verdict(NftExpressions.Jump, words.Next());
                return true;
            case "meta" when words.Skip("l4proto"):
                return TryProtocol(words.Next(), to);
            case "meta" when words.Skip("mark", "set", "meta", "mark", "or"):
                return TryMark(words.Next(), to);
            case "ip" when words.Skip("daddr", ".", "meta", "l4proto", ".", "th", "dport"):
                to.LoadDestination(NftExpressions.First);
                to.LoadProtocol(NftExpressions.Second);
                to.LoadPort(NftExpressions.Third);
                return TryIn(words.Next(), to);
            case "ip":
                return TryAddress(ref words, to);
            case "fib" when words.Skip("saddr", "type", "local"):
                to.SourceType(NftExpressions.First);
                to.Compare(NftExpressions.First, NftExpressions.Equal, Machine(LocalRoute));
                return true;
            case "tcp" when words.Skip("dport"):
                return TryProtocol("tcp", to) && TryPort(words.Next(), to);
            case "udp" when words.Skip("dport"):
                return TryProtocol("udp", to) && TryPort(words.Next(), to);
            case "update":
                var set = words.Next();
                to.LoadSource(NftExpressions.First);
                to.Remember(NftExpressions.First, set.TrimStart('@'));
                return set.StartsWith('@') && words.Skip("{", "ip", "saddr", "}");
            case "numgen":
                return TryNumber(ref words, to, NftExpressions.First) && inline != 0 && TryInline(ref words, to, "vmap", inline, NftExpressions.ToVerdict);
            case "dnat" when words.Skip("ip", "to"):
                return TryTranslate(ref words, to, inline);
            default:
                return false;
        }
    }

    private static bool TryTranslate(ref NftWords words, NftMessages to, uint inline)
    {
        Span<byte> bytes = stackalloc byte[8];
        if (words.Skip("numgen"))
        {
            if (!TryNumber(ref words, to, NftExpressions.First) || inline == 0 || !TryInline(ref words, to, "map", inline, NftExpressions.First))
                return false;
            to.TranslateDestination(NftExpressions.First, NftExpressions.Second);
            return true;
        }
        if (words.Skip("ip", "daddr", ".", "th", "dport", ".", "numgen"))
        {
            to.LoadDestination(NftExpressions.First);
            to.LoadPort(NftExpressions.Second);
            if (!TryNumber(ref words, to, NftExpressions.Third) || !words.Skip("map") || words.Next() is not ['@', .. var map])
                return false;
            to.Lookup(NftExpressions.First, map, result: NftExpressions.First);
            to.TranslateDestination(NftExpressions.First, NftExpressions.Second);
            return true;
        }
        if (words.Next().Split(':') is not [var address, var port] || !NftTypes.TryRead(address, NftTypes.Address, bytes) || !NftTypes.TryRead(port, NftTypes.Port, bytes[4..]))
            return false;
        to.Load(NftExpressions.First, bytes[..4]);
        to.Load(2, bytes[4..6]);   // another register than the address's
        to.TranslateDestination(NftExpressions.First, 2);
        return true;
    }

    private static bool TryNumber(ref NftWords words, NftMessages to, uint register)
    {
        var how = words.Next();
        if (how is not ("inc" or "random") || !words.Skip("mod") || !uint.TryParse(words.Next(), out var modulus))
            return false;
        to.Number(register, modulus, random: how == "random");
        return true;
    }

    private static bool TryInline(ref NftWords words, NftMessages to, string kind, uint set, uint result)
    {
        if (!words.Skip(kind, "{"))
            return false;
        to.Lookup(NftExpressions.First, NftScript.InlineName, set, result);
        while (words.Next() is var word && word != "}")
        {
            if (word.Length == 0)
                return false;
        }
        return true;
    }

    private static bool TryProtocol(string protocol, NftMessages to)
    {
        var number = NftTypes.ProtocolNumber(protocol);
        to.LoadProtocol(NftExpressions.First);
        to.Compare(NftExpressions.First, NftExpressions.Equal, [number]);
        return number != 0;
    }

    private static bool TryPort(string text, NftMessages to)
    {
        Span<byte> bytes = stackalloc byte[2];
        to.LoadPort(NftExpressions.First);
        var ends = text.Split('-');
        for (var i = 0; i < ends.Length; i++)
        {
            if (ends.Length > 2 || !NftTypes.TryRead(ends[i], NftTypes.Port, bytes))
                return false;
            to.Compare(NftExpressions.First, ends.Length == 1 ? NftExpressions.Equal : i == 0 ? NftExpressions.AtLeast : NftExpressions.AtMost, bytes);
        }
        return true;
    }

    private static bool TryMark(string text, NftMessages to)
    {
        if (!text.StartsWith("0x", StringComparison.Ordinal) || !uint.TryParse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var bits))
            return false;
        to.LoadMark(NftExpressions.First);
        to.Bits(NftExpressions.First, Machine(~bits), Machine(bits));
        to.SetMark(NftExpressions.First);
        return true;
    }

    private static bool TryAddress(ref NftWords words, NftMessages to)
    {
        var side = words.Next();
        if (side is not ("saddr" or "daddr"))
            return false;
        to.LoadAddress(side == "saddr", NftExpressions.First);
        var how = words.Skip("!=") ? NftExpressions.NotEqual : NftExpressions.Equal;
        var word = words.Next();
        if (word.StartsWith('@'))
            return how == NftExpressions.Equal && TryIn(word, to);
        Span<byte> mask = stackalloc byte[4], address = stackalloc byte[4];
        var slash = word.IndexOf('/');
        if (!NftTypes.TryRead(slash < 0 ? word : word[..slash], NftTypes.Address, address))
            return false;
        if (slash >= 0)
        {
            // nft prints the whole of IPv4 as no more than a comparison of nothing: left to it.
            if (!int.TryParse(word.AsSpan(slash + 1), out var prefix) || prefix is < 1 or > 32)
                return false;
            BinaryPrimitives.WriteUInt32BigEndian(mask, uint.MaxValue << (32 - prefix));
            if (prefix < 32)
                to.Bits(NftExpressions.First, mask, [0, 0, 0, 0]);
            for (var i = 0; i < 4; i++)
                address[i] &= mask[i];
        }
        to.Compare(NftExpressions.First, how, address);
        return true;
    }

    private static bool TryIn(string word, NftMessages to)
    {
        if (word is not ['@', .. var set])
            return false;
        to.Lookup(NftExpressions.First, set);
        return true;
    }

    // In the machine's order, as the registers of marks and of types of routes are.
    private static byte[] Machine(uint value)
    {
        var bytes = new byte[4];
        MemoryMarshal.Write(bytes, value);
        return bytes;
    }
}
