namespace Weft.Node.Network.Nftables;

/// <summary>The words of one line of an nft script, read from left to right. Past the end every word is empty.</summary>
internal struct NftWords(string line)
{
    private readonly string _line = line;
    private int _at;

    public readonly bool AtEnd
    {
        get
        {
            var rest = this;
            return rest.Next().Length == 0;
        }
    }

    public string Next()
    {
        while (_at < _line.Length && _line[_at] == ' ')
            _at++;
        var start = _at;
        // Nothing parts a comma or semicolon from the word before it.
        if (_at < _line.Length && IsMark(_line[_at]))
            return _line.Substring(_at++, 1);
        while (_at < _line.Length && _line[_at] != ' ' && !IsMark(_line[_at]))
            _at++;
        return _line[start.._at];
    }

    /// <summary>Takes these words if they are the next ones, and nothing otherwise.</summary>
    public bool Skip(params ReadOnlySpan<string> words)
    {
        var from = _at;
        foreach (var word in words)
        {
            if (Next() != word)
            {
                _at = from;
                return false;
            }
        }
        return true;
    }

    private static bool IsMark(char c) => c is ',' or ';';
}
