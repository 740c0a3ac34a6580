using System.Runtime.InteropServices;
using System.Text;

namespace Weft.Storage.Sqlite;

/// <summary>A prepared statement. Bytes that are bound must stay where they are until the step: callers pin them.</summary>
internal sealed unsafe class Statement(Connection connection, nint handle, string sql) : IDisposable
{
    private nint _handle = handle;

    public Statement Bind(int index, long value)
    {
        connection.Check(Native.BindInt64(_handle, index, value), sql);
        return this;
    }

    /// <summary>Copies the text.</summary>
    public Statement Bind(int index, string? text)
    {
        if (text is null)
        {
            connection.Check(Native.BindNull(_handle, index), sql);
            return this;
        }

        var bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* start = bytes)
        {
            // An empty array pins to null, which SQLite would take for NULL.
            byte none = 0;
            connection.Check(Native.BindText(_handle, index, bytes.Length == 0 ? &none : start, bytes.Length, -1), sql);
        }

        return this;
    }

    public void BindPinnedText(int index, byte* text, int bytes) =>
        connection.Check(Native.BindText(_handle, index, text, bytes, 0), sql);

    public void BindPinnedBlob(int index, byte* blob, int bytes) =>
        connection.Check(bytes == 0 ? Native.BindZeroBlob(_handle, index, 0) : Native.BindBlob(_handle, index, blob, bytes, 0), sql);

    public void BindNull(int index) => connection.Check(Native.BindNull(_handle, index), sql);

    /// <summary>True: there is a row.</summary>
    public bool Step()
    {
        var code = Native.Step(_handle);
        return code switch
        {
            Native.Row => true,
            Native.Done => false,
            _ => throw SqliteException.From(connection.Handle, code, sql),
        };
    }

    /// <summary>Runs a statement that gives no rows, and makes it ready for the next time.</summary>
    public void Run()
    {
        try
        {
            Step();
        }
        finally
        {
            Reset();
        }
    }

    public void Reset() => Native.Reset(_handle); // repeats the error of the last step, which has been thrown

    public bool IsNull(int column) => Native.ColumnType(_handle, column) == Native.TypeNull;

    public long Int64(int column) => Native.ColumnInt64(_handle, column);

    public string Text(int column)
    {
        var text = Native.ColumnText(_handle, column);
        return text is null ? "" : Encoding.UTF8.GetString(text, Native.ColumnBytes(_handle, column));
    }

    /// <summary>The text, in the buffer, which is large enough for what the store has written.</summary>
    public ReadOnlySpan<char> Text(int column, char[] buffer)
    {
        var text = Native.ColumnText(_handle, column);
        return buffer.AsSpan(0, Encoding.UTF8.GetChars(new ReadOnlySpan<byte>(text, Native.ColumnBytes(_handle, column)), buffer));
    }

    public byte[] Blob(int column)
    {
        var blob = Native.ColumnBlob(_handle, column);
        var length = Native.ColumnBytes(_handle, column);
        if (length == 0)
            return [];
        var bytes = GC.AllocateUninitializedArray<byte>(length);
        Marshal.Copy((nint)blob, bytes, 0, length);
        return bytes;
    }

    public int BlobLength(int column) => Native.ColumnBytes(_handle, column);

    public void Dispose()
    {
        if (_handle != 0)
            Native.Finish(_handle);
        _handle = 0;
    }
}
