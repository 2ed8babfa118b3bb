using System.Globalization;
using Cake.Core.Diagnostics;

namespace MeshTrust.Tests.Cake;

/// <summary>A log that keeps what is written.</summary>
internal sealed class FakeLog : ICakeLog
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines => _lines;

    public Verbosity Verbosity { get; set; } = Verbosity.Normal;

    public void Write(Verbosity verbosity, LogLevel level, string format, params object[] args) =>
        _lines.Add($"{level}: {string.Format(CultureInfo.InvariantCulture, format, args)}");
}
