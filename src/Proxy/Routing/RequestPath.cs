namespace Weft.Proxy.Routing;

/// <summary>
/// Path and query of one request in the one form that routes, policies and the endpoint see (<see cref="PathNormalizer"/>). Belongs to an exchange and is
/// written anew for the next. ASCII throughout.
/// </summary>
internal sealed class RequestPath
{
    private byte[] _bytes = new byte[512];
    private byte[] _lower = [];
    private char[] _chars = [];
    private byte[] _decoded = [];
    private byte[] _simplified = [];
    private byte[] _cut = [];
    private int _decodedLength = -1;
    private int _simplifiedLength = -1;
    private int _cutLength = -1;
    private bool _hasLower;
    private bool _hasChars;
    private int _path;
    private int _length;

    /// <summary>Begins with a slash; `*` for OPTIONS of the server; empty for CONNECT.</summary>
    public ReadOnlySpan<byte> Path => _bytes.AsSpan(0, _path);

    /// <summary>Without its question mark.</summary>
    public ReadOnlySpan<byte> Query => _length > _path ? _bytes.AsSpan(_path + 1, _length - _path - 1) : default;

    /// <summary>A question mark is there, even if nothing follows it.</summary>
    public bool HasQuery => _length > _path;

    /// <summary>Path, question mark, query.</summary>
    public ReadOnlySpan<byte> Target => _bytes.AsSpan(0, _length);

    /// <summary>The path in lower case, made when somebody asks.</summary>
    public ReadOnlySpan<byte> LowerPath
    {
        get
        {
            if (!_hasLower)
            {
                if (_lower.Length < _path)
                    _lower = new byte[_bytes.Length];
                System.Text.Ascii.ToLower(Path, _lower, out _);
                _hasLower = true;
            }

            return _lower.AsSpan(0, _path);
        }
    }

    /// <summary>Whether an endpoint may take this path for another (<see cref="PathSpellings"/>).</summary>
    public bool HasSpellings => PathSpellings.Has(Path);

    /// <summary>See <see cref="PathSpellings.Decode(ReadOnlySpan{byte}, Span{byte})"/>.</summary>
    public ReadOnlySpan<byte> Decoded
    {
        get
        {
            if (_decodedLength < 0)
            {
                if (_decoded.Length < _path)
                    _decoded = new byte[_bytes.Length];
                _decodedLength = PathSpellings.Decode(Path, _decoded);
            }

            return _decoded.AsSpan(0, _decodedLength);
        }
    }

    /// <summary>See <see cref="PathSpellings.Simplify"/>.</summary>
    public ReadOnlySpan<byte> Simplified
    {
        get
        {
            if (_simplifiedLength < 0)
            {
                if (_simplified.Length < _path)
                    _simplified = new byte[_bytes.Length];
                _simplifiedLength = PathSpellings.Simplify(Path, _simplified);
            }

            return _simplified.AsSpan(0, _simplifiedLength);
        }
    }

    /// <summary>See <see cref="PathSpellings.CutAndSimplify"/>.</summary>
    public ReadOnlySpan<byte> CutAndSimplified
    {
        get
        {
            if (_cutLength < 0)
            {
                if (_cut.Length < _path)
                    _cut = new byte[_bytes.Length];
                _cutLength = PathSpellings.CutAndSimplify(Path, _cut);
            }

            return _cut.AsSpan(0, _cutLength);
        }
    }

    /// <summary>The path for regular expressions, which want characters.</summary>
    public ReadOnlySpan<char> PathChars
    {
        get
        {
            if (!_hasChars)
            {
                if (_chars.Length < _path)
                    _chars = new char[_bytes.Length];
                System.Text.Encoding.Latin1.GetChars(Path, _chars);
                _hasChars = true;
            }

            return _chars.AsSpan(0, _path);
        }
    }

    /// <param name="query">With its question mark; empty: none.</param>
    public void Set(ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        var length = path.Length + query.Length;
        if (_bytes.Length < length)
        {
            // What is set may be part of what is here: the old array lives on until it is copied.
            var larger = new byte[Math.Max(length, _bytes.Length * 2)];
            path.CopyTo(larger);
            query.CopyTo(larger.AsSpan(path.Length));
            _bytes = larger;
        }
        else
        {
            // From the end: a query that is kept moves before a new path is written over it.
            query.CopyTo(_bytes.AsSpan(path.Length));
            path.CopyTo(_bytes);
        }

        (_path, _length) = (path.Length, length);
        _hasLower = _hasChars = false;
        _decodedLength = _simplifiedLength = _cutLength = -1;
    }

    public void Clear() => Set(default, default);
}
