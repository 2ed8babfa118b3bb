namespace Cake.Frosting;

/// <summary>A build program that is put together wrongly.</summary>
public sealed class FrostingException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is wrong.</param>
    public FrostingException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is wrong.</param>
    /// <param name="innerException">What was behind it.</param>
    public FrostingException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
