namespace Weft.Host.Proxy;

/// <summary>A log that is written to and never grows beyond a size: when it is large it becomes `NAME.1`, in place of the one before. For one writer.</summary>
internal sealed class RotatingFile : Stream
{
    private readonly string _path;
    private readonly long _maxBytes;
    private FileStream _file;

    /// <param name="maxBytes">Of each of the two files.</param>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public RotatingFile(string path, long maxBytes)
    {
        (_path, _maxBytes) = (path, maxBytes);
        _file = Open();
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_file.Length > 0 && _file.Length + buffer.Length > _maxBytes)
            Rotate();
        _file.Write(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => _file.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
        base.Dispose(disposing);
    }

    // A file that cannot be renamed or opened anew is written to further, up to the next try: an IOException of the old one is the writer's to count.
    private void Rotate()
    {
        File.Move(_path, _path + ".1", overwrite: true);
        var old = _file;
        _file = Open();
        old.Dispose();
    }

    private FileStream Open() => new(_path, new FileStreamOptions
    {
        Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });
}
