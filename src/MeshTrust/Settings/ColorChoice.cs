namespace MeshTrust.Settings;

/// <summary>Whether text has colour (<c>--color</c>).</summary>
public enum ColorChoice
{
    /// <summary>At a terminal that can.</summary>
    Auto,

    /// <summary>Always.</summary>
    Always,

    /// <summary>Never; also what <c>NO_COLOR</c> and <c>TERM=dumb</c> ask for.</summary>
    Never,
}
