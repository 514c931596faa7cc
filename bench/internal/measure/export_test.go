package measure

import "unsafe"

// What the floors share with the table.
const (
	FloorRecordSize   = unsafe.Sizeof(floorRecord{})
	FloorStripeSize   = unsafe.Sizeof(floorStripe{})
	CheckedRecordSize = unsafe.Sizeof(checkedRecord{})
	CheckedStripeSize = unsafe.Sizeof(checkedStripe{})
)
