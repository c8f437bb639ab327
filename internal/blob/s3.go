package blob

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/fault"
)

// S3 keeps blobs as objects of a bucket, for installations of several servers.
type S3 struct {
	client *minio.Client
	bucket string
	prefix string
}

// NewS3 makes a store of a bucket, which must exist; it does not connect yet.
func NewS3(c config.S3) (*S3, error) {
	region := c.Region
	if region == "" {
		region = "us-east-1" // named, so that the client does not ask for it before each start
	}
	client, err := minio.New(c.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""), Secure: !c.Insecure, Region: region, BucketLookup: minio.BucketLookupPath,
	})
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "config.bad_endpoint")
	}
	return &S3{client: client, bucket: c.Bucket, prefix: c.Prefix}, nil
}

func (s *S3) name(sha string) string { return s.prefix + sha[:2] + "/" + sha }

// Put sends the bytes whole: attachments are small, and a size known beforehand spares the client's large buffers.
func (s *S3) Put(ctx context.Context, sha string, r io.Reader) error {
	if err := checkSHA(sha); err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(r, 4*MaxBytes))
	if err != nil {
		return fmt.Errorf("read the attachment: %w", err)
	}
	if got := sum(b); got != sha {
		return fault.New(fault.Invalid, "blob.other_hash", "want", sha, "got", got)
	}
	_, err = s.client.PutObject(ctx, s.bucket, s.name(sha), bytes.NewReader(b), int64(len(b)), minio.PutObjectOptions{ContentType: "application/octet-stream"})
	return remote(err)
}

// Get opens the object.
func (s *S3) Get(ctx context.Context, sha string) (io.ReadCloser, error) {
	if err := checkSHA(sha); err != nil {
		return nil, err
	}
	o, err := s.client.GetObject(ctx, s.bucket, s.name(sha), minio.GetObjectOptions{})
	if err != nil {
		return nil, remote(err)
	}
	if _, err := o.Stat(); err != nil { // the request is sent only now
		_ = o.Close()
		return nil, remote(err)
	}
	return o, nil
}

// Has asks for the object.
func (s *S3) Has(ctx context.Context, sha string) (bool, error) {
	if !isSHA(sha) {
		return false, nil
	}
	_, err := s.client.StatObject(ctx, s.bucket, s.name(sha), minio.StatObjectOptions{})
	if err = remote(err); fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// Delete removes the object.
func (s *S3) Delete(ctx context.Context, sha string) error {
	if err := checkSHA(sha); err != nil {
		return err
	}
	err := remote(s.client.RemoveObject(ctx, s.bucket, s.name(sha), minio.RemoveObjectOptions{}))
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// remote turns what the object store says into faults.
func remote(err error) error {
	if err == nil {
		return nil
	}
	switch minio.ToErrorResponse(err).Code {
	case "NoSuchKey", "NotFound":
		return fault.Wrap(err, fault.NotFound, "blob.missing")
	}
	return fault.Wrap(err, fault.Down, "blob.down")
}
