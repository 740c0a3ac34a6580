namespace Weft.Node.Network.Nftables;

/// <summary>The expressions of a rule, as nf_tables.h names and numbers their attributes. They work on registers: 1 is the first, four words wide; 9, 10 and 11 its further words.</summary>
internal static class NftExpressions
{
    public const uint ToVerdict = 0, First = 1, Second = 9, Third = 10;
    public const uint Return = unchecked((uint)-5), Goto = unchecked((uint)-4), Jump = unchecked((uint)-3), Accept = 1, Drop = 0;
    public const uint Equal = 0, NotEqual = 1, AtMost = 3, AtLeast = 5;
    private const ushort Element = 1, Name = 1, Body = 2;

    public static void LoadSource(this NftMessages to, uint register) => to.Payload(register, 1, 12, 4);

    public static void LoadDestination(this NftMessages to, uint register) => to.Payload(register, 1, 16, 4);

    public static void LoadAddress(this NftMessages to, bool source, uint register)
    {
        if (source)
            to.LoadSource(register);
        else
            to.LoadDestination(register);
    }

    public static void LoadPort(this NftMessages to, uint register) => to.Payload(register, 2, 2, 2);

    public static void LoadProtocol(this NftMessages to, uint register) => to.Meta(16, register);

    public static void LoadMark(this NftMessages to, uint register) => to.Meta(3, register);

    public static void SetMark(this NftMessages to, uint register)
    {
        var (element, body) = to.Begin("meta");
        to.With(2, 3u).With(3, register);
        to.End(element, body);
    }

    private static void Meta(this NftMessages to, uint key, uint register)
    {
        var (element, body) = to.Begin("meta");
        to.With(2, key).With(1, register);
        to.End(element, body);
    }

    private static void Payload(this NftMessages to, uint register, uint header, uint offset, uint length)
    {
        var (element, body) = to.Begin("payload");
        to.With(1, register).With(2, header).With(3, offset).With(4, length);
        to.End(element, body);
    }

    public static void Compare(this NftMessages to, uint register, uint how, ReadOnlySpan<byte> value)
    {
        var (element, body) = to.Begin("cmp");
        to.With(1, register).With(2, how);
        to.Data(3, value);
        to.End(element, body);
    }

    /// <summary>register = register &amp; and ^ xor.</summary>
    public static void Bits(this NftMessages to, uint register, ReadOnlySpan<byte> and, ReadOnlySpan<byte> xor)
    {
        var (element, body) = to.Begin("bitwise");
        to.With(1, register).With(2, register).With(3, (uint)and.Length);
        to.Data(4, and);
        to.Data(5, xor);
        to.End(element, body);
    }

    /// <param name="result">Register of what a map gives.</param>
    public static void Lookup(this NftMessages to, uint register, string set, uint id = 0, uint? result = null)
    {
        var (element, body) = to.Begin("lookup");
        to.With(2, register);
        if (result is { } register2)
            to.With(3, register2);
        to.With(1, set);
        if (id != 0)
            to.With(4, id);
        to.End(element, body);
    }

    public static void Load(this NftMessages to, uint register, ReadOnlySpan<byte> value)
    {
        var (element, body) = to.Begin("immediate");
        to.With(1, register);
        to.Data(2, value);
        to.End(element, body);
    }

    public static void Verdict(this NftMessages to, uint code, string? chain)
    {
        var (element, body) = to.Begin("immediate");
        to.With(1, ToVerdict);
        to.VerdictData(2, code, chain);
        to.End(element, body);
    }

    /// <summary>Address and port are in the two registers.</summary>
    public static void TranslateDestination(this NftMessages to, uint address, uint port)
    {
        var (element, body) = to.Begin("nat");
        to.With(1, 1u).With(2, 2u).With(3, address).With(5, port);
        to.End(element, body);
    }

    public static void Number(this NftMessages to, uint register, uint modulus, bool random)
    {
        var (element, body) = to.Begin("numgen");
        to.With(1, register).With(2, modulus).With(3, random ? 1u : 0u).With(4, 0u);
        to.End(element, body);
    }

    public static void SourceType(this NftMessages to, uint register)
    {
        const uint AddressType = 3, OfSource = 1;
        var (element, body) = to.Begin("fib");
        to.With(3, OfSource).With(2, AddressType).With(1, register);
        to.End(element, body);
    }

    /// <summary>Adds the register's value to the set, or begins its time anew.</summary>
    public static void Remember(this NftMessages to, uint register, string set)
    {
        var (element, body) = to.Begin("dynset");
        to.With(4, register).With(3, 1u).With(1, set);
        to.End(element, body);
    }

    public static void Data(this NftMessages to, ushort type, ReadOnlySpan<byte> value)
    {
        var data = to.Nest(type);
        to.With(1, value);
        to.Close(data);
    }

    public static void VerdictData(this NftMessages to, ushort type, uint code, string? chain)
    {
        var data = to.Nest(type);
        var verdict = to.Nest(2);
        to.With(1, code);
        if (chain is not null)
            to.With(2, chain);
        to.Close(verdict);
        to.Close(data);
    }

    private static (int Element, int Body) Begin(this NftMessages to, string name)
    {
        var element = to.Nest(Element);
        to.With(Name, name);
        return (element, to.Nest(Body));
    }

    private static void End(this NftMessages to, int element, int body)
    {
        to.Close(body);
        to.Close(element);
    }
}
