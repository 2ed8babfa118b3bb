namespace MeshTrust.Kubernetes;

/// <summary>
/// Sends a header once for each of its values. .NET joins values with commas, and an API server takes that for one group's name. It works
/// over HTTP/1.1.
/// </summary>
internal sealed class RepeatedHeaders(Stream inner) : Stream
{
    /// <summary>No header contains it: a value with a control character is rejected.</summary>
    private const char Break = '\u0001';

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>One value from which this stream makes several headers.</summary>
    internal static string Join(string name, IReadOnlyList<string> values) => string.Join($"{Break}{name}: ", values);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(Split(buffer.Span) ?? buffer, cancellationToken);

    public override void Write(ReadOnlySpan<byte> buffer) => inner.Write(Split(buffer) is { } split ? split.Span : buffer);

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.ReadAsync(buffer, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    private static ReadOnlyMemory<byte>? Split(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.Contains((byte)Break)) return null;
        var split = new List<byte>(bytes.Length + 16);
        foreach (var b in bytes) split.AddRange(b == Break ? "\r\n"u8 : [b]);
        return split.ToArray();
    }
}
