namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>The latest requests, for whoever asks what a client did. It does not grow for ever.</summary>
internal sealed class RequestLog
{
    private const int Longest = 10_000;

    private readonly Lock _gate = new();
    private readonly Queue<RequestRecord> _records = new();

    public void Add(RequestRecord record)
    {
        lock (_gate)
        {
            _records.Enqueue(record);
            if (_records.Count > Longest) _records.Dequeue();
        }
    }

    public IReadOnlyList<RequestRecord> ToList()
    {
        lock (_gate) return [.. _records];
    }
}
