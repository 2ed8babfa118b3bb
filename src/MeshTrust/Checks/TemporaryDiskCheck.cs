using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT1105: there is room for temporary files: kind's configuration, an image's archive, exported logs.</summary>
public sealed class TemporaryDiskCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT1105";

    /// <inheritdoc/>
    public override string Title => "disk for temporary files";

    /// <inheritdoc/>
    public override bool NeedsEngine => false;

    private const long Least = 64 * Amount.MiB;
    private const long Wanted = 512 * Amount.MiB;

    /// <inheritdoc/>
    public override string? Unread(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Host.TemporaryDisk is null ? "it cannot be read" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"{Amount.Bytes(reading.Host.TemporaryDisk!.Free)} free in {reading.Host.TemporaryDisk.Path}, {Amount.Bytes(Wanted)} are needed";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        var disk = reading.Host.TemporaryDisk!;
        const string Hint = "Make room there, or set TMPDIR to a directory with more.";
        if (disk.Free < Least) return [Error(disk.Path, $"{Amount.Bytes(disk.Free)} are free for temporary files.", Hint)];
        return disk.Free < Wanted ? [Warning(disk.Path, $"{Amount.Bytes(disk.Free)} are free for temporary files: an image's archive may not fit.", Hint)] : [];
    }
}
