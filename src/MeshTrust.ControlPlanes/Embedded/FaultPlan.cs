namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>The faults of one server, counted exactly under concurrent requests.</summary>
public sealed class FaultPlan
{
    private readonly Lock _gate = new();
    private readonly List<Entry> _entries = [];

    /// <summary>Plans one more fault. The first planned fault that meets a request is the one that happens.</summary>
    public FaultPlan Add(Fault fault)
    {
        ArgumentNullException.ThrowIfNull(fault);
        lock (_gate) _entries.Add(new Entry(fault));
        return this;
    }

    /// <summary>Forgets all faults.</summary>
    public void Clear()
    {
        lock (_gate) _entries.Clear();
    }

    /// <summary>How many requests met a fault so far (since the last <see cref="Clear"/>).</summary>
    public int Happened
    {
        get
        {
            lock (_gate) return _entries.Sum(e => e.Happened);
        }
    }

    internal Fault? Next(string method, string path)
    {
        lock (_gate)
        {
            Fault? result = null;
            foreach (var entry in _entries)
            {
                if (entry.Fault.Method is { } m && !m.Equals(method, StringComparison.OrdinalIgnoreCase)) continue;
                if (entry.Fault.Path is { } matches && !matches(path)) continue;
                entry.Seen++;
                if (result is not null || entry.Seen < entry.Fault.From || entry.Happened >= entry.Fault.Times) continue;
                entry.Happened++;
                result = entry.Fault;
            }

            return result;
        }
    }

    private sealed class Entry(Fault fault)
    {
        public Fault Fault { get; } = fault;

        public int Seen { get; set; }

        public int Happened { get; set; }
    }
}
