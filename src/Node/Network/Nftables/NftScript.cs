using System.Buffers.Binary;

namespace Weft.Node.Network.Nftables;

/// <summary>
/// A script of nft as the messages that nft would send, for the commands that changes are made of. What it does not know it does not guess: the
/// script is then nft's. Pure.
/// </summary>
internal sealed class NftScript
{
    /// <summary>The kernel numbers the sets that stand inside rules.</summary>
    public const string InlineName = "__map%d";

    // Well below the 64 kB of an attribute.
    private const int LongMessage = 32 * 1024;
    private const uint Anonymous = 1, Constant = 2, Map = 8, Timeout = 0x10, Evaluated = 0x20;
    private static readonly string[] Indexes = [NftTypes.Index];
    private readonly NftMessages _messages = new();
    private readonly List<(uint First, string Line)> _lines = [];
    private readonly Func<string, NftSetType?> _typeOf;
    private uint _sets;

    private NftScript(Func<string, NftSetType?> typeOf) => _typeOf = typeOf;

    public int Length => _messages.Length;

    public uint LastSequence => _messages.Sequence;

    /// <param name="typeOf">The types of sets and maps that the script fills.</param>
    /// <param name="unknown">The line that is not known.</param>
    public static NftScript? TryRead(string script, Func<string, NftSetType?> typeOf, out string unknown)
    {
        var read = new NftScript(typeOf);
        foreach (var line in script.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            read._lines.Add((read._messages.Sequence + 1, line));
            if (!read.TryCommand(new NftWords(line), line))
            {
                unknown = line;
                return null;
            }
        }
        unknown = "";
        return read;
    }

    /// <summary>The bytes to send; once.</summary>
    public ReadOnlySpan<byte> Seal() => _messages.Seal();

    /// <summary>Which line a message came from.</summary>
    public string LineOf(uint sequence) => _lines.LastOrDefault(line => line.First <= sequence).Line ?? "the transaction as a whole";

    private bool TryCommand(NftWords words, string line)
    {
        var (verb, kind) = (words.Next(), words.Next());
        if (!words.Skip("ip"))
            return false;
        var (table, name) = (words.Next(), words.Next());
        switch (verb, kind)
        {
            case ("add", "chain") when words.AtEnd:
                return Done(_messages.Open(NftMessages.NewChain, NftMessages.Create).With(1, table).With(3, name));
            case ("flush", "chain"):
                return Done(_messages.Open(NftMessages.DeleteRule, 0).With(1, table).With(2, name)) && words.AtEnd;
            case ("delete", "chain"):
                return Done(_messages.Open(NftMessages.DeleteChain, 0).With(1, table).With(3, name)) && words.AtEnd;
            case ("delete", "set"):
                return Done(_messages.Open(NftMessages.DeleteSet, 0).With(1, table).With(2, name)) && words.AtEnd;
            case ("add", "set"):
                return TrySet(ref words, table, name);
            case ("add", "rule"):
                return TryRule(words, table, name, line);
            case ("add" or "delete", "element") when words.Skip("{") && _typeOf(name) is { } type:
                return TryElements(ref words, table, name, 0, type, verb == "add" ? NftMessages.NewElement : NftMessages.DeleteElement) && words.AtEnd;
            default:
                return false;
        }
    }

    private bool TryRule(NftWords words, string table, string chain, string line)
    {
        uint inline = 0;
        foreach (var (word, type) in ((string, NftSetType)[])[
            (" vmap { ", new(Indexes, [NftSetType.Verdict])), (" map { ", new(Indexes, [NftTypes.Address, NftTypes.Port]))])
        {
            if (line.IndexOf(word, StringComparison.Ordinal) is var at and >= 0)
            {
                var elements = new NftWords(line[(at + word.Length)..]);
                inline = InlineSet(table, type);
                if (!TryElements(ref elements, table, InlineName, inline, type, NftMessages.NewElement))
                    return false;
            }
        }
        _messages.Open(NftMessages.NewRule, NftMessages.Create | NftMessages.Append).With(1, table).With(2, chain);
        var expressions = _messages.Nest(4);
        if (!NftRules.TryWrite(words, _messages, inline))
            return false;
        _messages.Close(expressions);
        return Done(_messages);
    }

    private uint InlineSet(string table, NftSetType type)
    {
        // What nft notes for itself, to print a number of the machine's order: NFTNL_UDATA_SET_KEYBYTEORDER, four bytes, host.
        ReadOnlySpan<byte> note = [0, 4, 1, 0, 0, 0];
        _messages.Open(NftMessages.NewSet, NftMessages.Create).With(1, table).With(2, InlineName).With(3, Anonymous | Constant | Map)
            .With(4, NftTypes.Number(type.Key)).With(5, NftTypes.Length(type.Key));
        if (type.LeadsToChains)
            _messages.With(6, 0xffffff00).With(7, 0u);   // NFT_DATA_VERDICT
        else
            _messages.With(6, NftTypes.Number(type.Data!)).With(7, NftTypes.Length(type.Data!));
        Done(_messages.With(10, ++_sets).With(13, note));
        return _sets;
    }

    private bool TrySet(ref NftWords words, string table, string name)
    {
        if (!words.Skip("{", "type"))
            return false;
        List<string> key = [words.Next()];
        while (words.Skip("."))
            key.Add(words.Next());
        var remembers = words.Skip(";", "flags", "dynamic", ",", "timeout", ";", "timeout");
        var time = remembers ? words.Next() : "";
        if (!words.Skip(";", "}") || NftTypes.Number(key) == 0)
            return false;
        _messages.Open(NftMessages.NewSet, NftMessages.Create).With(1, table).With(2, name).With(3, remembers ? Timeout | Evaluated : 0)
            .With(4, NftTypes.Number(key)).With(5, NftTypes.Length(key)).With(10, ++_sets);
        if (remembers)
        {
            if (!time.EndsWith('s') || !uint.TryParse(time.AsSpan(0, time.Length - 1), out var seconds))
                return false;
            Span<byte> milliseconds = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64BigEndian(milliseconds, seconds * 1000ul);
            _messages.With(11, milliseconds);
        }
        return Done(_messages);
    }

    private bool TryElements(ref NftWords words, string table, string set, uint id, NftSetType type, ushort command)
    {
        Span<byte> bytes = stackalloc byte[16];
        while (true)
        {
            var from = _messages.Length;
            _messages.Open(command, command == NftMessages.NewElement ? NftMessages.Create : (ushort)0).With(1, table).With(2, set);
            if (id != 0)
                _messages.With(4, id);
            var list = _messages.Nest(3);
            do
            {
                var element = _messages.Nest(1);
                if (!NftTypes.TryRead(ref words, type.Key, bytes, out var length))
                    return false;
                _messages.Data(1, bytes[..length]);
                if (type.Data is not null && words.Skip(":") && !TryData(ref words, type, write: command == NftMessages.NewElement))
                    return false;
                _messages.Close(element);
            }
            while (words.Skip(",") && _messages.Length - from < LongMessage);
            _messages.Close(list);
            _messages.Finish();
            if (words.Skip("}"))
                return true;
            if (words.AtEnd)
                return false;
        }
    }

    // An element goes by its key alone.
    private bool TryData(ref NftWords words, NftSetType type, bool write)
    {
        if (type.LeadsToChains)
        {
            var (verdict, chain) = (words.Next(), (string?)null);
            uint code;
            switch (verdict)
            {
                case "drop":
                    code = NftExpressions.Drop;
                    break;
                case "goto" or "jump":
                    (code, chain) = (verdict == "goto" ? NftExpressions.Goto : NftExpressions.Jump, words.Next());
                    break;
                default:
                    return false;
            }
            if (write)
                _messages.VerdictData(2, code, chain);
            return true;
        }
        Span<byte> bytes = stackalloc byte[16];
        if (!NftTypes.TryRead(ref words, type.Data!, bytes, out var length))
            return false;
        if (write)
            _messages.Data(2, bytes[..length]);
        return true;
    }

    private static bool Done(NftMessages message)
    {
        message.Finish();
        return true;
    }
}
